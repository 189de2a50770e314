/** Metadata of files (protocol §2.6/13 and 15). Main thread. */
import type { Handlers } from "#net/frame-handlers.ts";
import type { storageMetadata } from "#protocol/fastdfs/storage-metadata.ts";
import { perform } from "#storage/handlers/file-handlers.ts";
import type { StorageServices } from "#storage/storage-services.ts";

export function metadataHandlers(services: StorageServices): Handlers<typeof storageMetadata> {
  return {
    setMetadata: (request, session) => {
      const { filename, mode, metadata } = request;
      const text = Buffer.from(metadata);
      const work = {
        session,
        action: "set_metadata",
        count: "metadataSets",
        changes: true,
        file: filename,
      } as const;
      return perform(services, work, async () => {
        services.checkGroup(request.group);
        await services.store.writeMetadata(filename, mode, text);
        return undefined;
      });
    },
    getMetadata: (request, session) => {
      const { filename } = request;
      const work = {
        session,
        action: "get_metadata",
        count: "metadataGets",
        changes: false,
        file: filename,
      } as const;
      return perform(services, work, async () => {
        services.checkGroup(request.group);
        services.checkMayRead();
        return { metadata: await services.storeToRead(request).readMetadata(filename) };
      });
    },
  };
}
