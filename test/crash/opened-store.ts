/** A store path after a crash, as whoever opened it sees it: the engine in this thread, or a whole node over the wire. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Packing } from "#filestore/packing.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import { commit, openEngine, put, readBack } from "../support/engine-fixture.ts";
import { NodeProcess } from "../support/node-process.ts";
import { StorageCaller } from "../support/storage-caller.ts";

export interface OpenedStore extends AsyncDisposable {
  /** Undefined where there is no such file. */
  read(name: string): Promise<Buffer | undefined>;
  metadata(name: string): Promise<string | undefined>;
  upload(content: Buffer): Promise<string>;
  remove(name: string): Promise<void>;
  /** Ends when files that may have been lost were looked at again. */
  recheck(): Promise<void>;
}

const recheckLimitMs = 10_000;
/** No tracker leases numbers to an engine alone; these were leased to nobody. */
const unusedTrunkFile = 900_000;

/** `packing`: how files are packed that are uploaded here. */
export function openWithEngine(
  directory: string,
  packing: Packing | undefined,
  relaxed = false,
): OpenedStore {
  const files = new NodeFiles();
  try {
    const settings = {
      subdirCount: 256,
      packing: packing === undefined ? "off" : "on",
      durability: relaxed ? "relaxed" : "flushed",
    } as const;
    const engine = openEngine({ files, directory, settings });
    const prove = (name: string): void => {
      const proof = engine.proof(name);
      while (proof !== undefined && proof.next().done !== true);
    };
    if (packing !== undefined) {
      engine.setPacking(packing);
      engine.addTrunkLease(unusedTrunkFile, 4);
    }
    const unlessMissing = async <T>(ask: () => T): Promise<T | undefined> => {
      try {
        return ask();
      } catch (error) {
        if ((error as { readonly code?: string }).code === "file-missing") return undefined;
        throw error;
      }
    };
    return {
      read: (name) =>
        unlessMissing(() => {
          prove(name);
          return readBack(engine, name);
        }),
      metadata: (name) =>
        unlessMissing(() => {
          prove(`${name}-m`);
          return Buffer.from(engine.readMetadata(name)).toString("latin1");
        }),
      recheck: async () => {
        engine.background.turn(true);
      },
      upload: async (content) => put(engine, { kind: "normal", extension: "bin" }, content),
      remove: async (name) => {
        commit(engine, engine.prepareRemove(name));
      },
      [Symbol.asyncDispose]: async () => {
        engine.close();
        files[Symbol.dispose]();
      },
    };
  } catch (error) {
    files[Symbol.dispose]();
    throw error;
  }
}

export async function openWithNode(
  dataDirectory: string,
  settings: readonly string[],
): Promise<OpenedStore> {
  const node = await NodeProcess.start({ dataDirectory, settings });
  const caller = await StorageCaller.connect(node.ports.storage);
  const unlessMissing = async <T>(ask: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof WireStatusError && error.status === wireStatus.notFound) {
        return undefined;
      }
      throw error;
    }
  };
  return {
    read: async (name) => {
      const info = await unlessMissing(() => caller.info(name, 3));
      if (info === undefined) return undefined;
      // The protocol answers 22 to a download of nothing.
      return info.fileSize === 0 ? Buffer.alloc(0) : caller.download(name);
    },
    metadata: (name) => unlessMissing(() => caller.getMetadata(name)),
    upload: (content) => caller.upload(content),
    remove: (name) => caller.remove(name),
    recheck: async () => {
      const note = join(dataDirectory, "store0/data/.cairn/recheck");
      const deadline = performance.now() + recheckLimitMs;
      while (existsSync(note)) {
        if (performance.now() > deadline) throw new Error("files are looked at for ever");
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    [Symbol.asyncDispose]: async () => {
      caller.close();
      await node.kill();
    },
  };
}
