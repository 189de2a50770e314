/** What a recorded request to a storage is in terms of our client library, and what the client is to make of the reply. */
import { hasCode } from "#base/app-error.ts";
import type { FastdfsClient } from "#client/fastdfs-client.ts";
import { parseMetadata } from "#model/file-metadata.ts";
import { narrowAddresses, WireReader } from "#protocol/codec.ts";
import { headerSize } from "#protocol/header.ts";
import { ProtocolError } from "#protocol/protocol-error.ts";
import type { Frame } from "../../support/raw-connection.ts";
import { decodeRequest } from "../../support/wire-vectors.ts";
import { messageOf } from "./replay.ts";

/** The fields of all requests that matter here. */
interface Fields {
  readonly group: string;
  readonly filename: string;
  readonly masterFilename: string;
  readonly prefix: string;
  readonly extension: string;
  readonly fileSize: number;
  readonly offset: number;
  readonly length: number;
  readonly mode: "overwrite" | "merge";
  readonly metadata: Uint8Array;
}

export interface ClientStep {
  readonly run: (client: FastdfsClient) => Promise<unknown>;
  /** What the client gives back; an error is given as its code. */
  readonly expected: unknown;
}

const refusals: Readonly<Record<number, string>> = {
  2: "file-missing",
  17: "file-exists",
  22: "refused",
};

export async function outcomeOf(run: Promise<unknown>): Promise<unknown> {
  try {
    return await run;
  } catch (error) {
    if (error instanceof Error && "code" in error && hasCode(error, String(error.code))) {
      return error.code;
    }
    throw error;
  }
}

/** Undefined for what a caller of the library cannot ask for. */
export function stepOf(request: Buffer, reply: Frame): ClientStep | undefined {
  const message = messageOf(request);
  const { value, end } = decodeRequest(message, request, narrowAddresses);
  const fields = { group: "group1", ...(value as object) } as Fields;
  const content = request.subarray(end);
  const id = `${fields.group}/${fields.filename}`;
  const ok = reply.status === 0;
  const refused = refusals[reply.status];
  const decoded: unknown =
    ok && message.stream !== "reply"
      ? message.reply.decode(new WireReader(reply.body), narrowAddresses)
      : undefined;
  const stored = storedId(decoded) ?? refused;
  const done = ok ? undefined : refused;
  const { extension, offset, length } = fields;
  switch (message.name) {
    case "uploadFile":
      // A store path that does not exist is nothing a client chooses: the tracker does.
      return ok
        ? { run: (client) => client.upload(content, { extension }), expected: stored }
        : undefined;
    case "uploadAppenderFile":
      return { run: (client) => client.uploadAppender(content, { extension }), expected: stored };
    case "uploadSlaveFile": {
      const { prefix } = fields;
      const master = `${fields.group}/${fields.masterFilename}`;
      return {
        run: (client) => client.uploadSlave(master, content, { prefix, extension }),
        expected: stored,
      };
    }
    case "appendFile":
      return { run: (client) => client.append(id, content), expected: done };
    case "modifyFile":
      return { run: (client) => client.modify(id, content, { offset }), expected: done };
    case "truncateFile":
      return { run: (client) => client.truncate(id, fields.fileSize), expected: done };
    case "regenerateAppenderFilename":
      return { run: (client) => client.regenerate(id), expected: stored };
    case "deleteFile":
      return { run: (client) => client.remove(id), expected: done };
    case "setMetadata": {
      const entries = parseMetadata(fields.metadata);
      return {
        run: (client) => client.setMetadata(id, entries, { mode: fields.mode }),
        expected: done,
      };
    }
    case "getMetadata":
      return {
        run: (client) => client.getMetadata(id),
        expected: ok ? parseMetadata(reply.body) : undefined,
      };
    case "queryFileInfo":
      return { run: (client) => factsOf(client, id), expected: ok ? decoded : refused };
    case "downloadFile": {
      // Past the end, and of nothing, our client answers by itself.
      if (!ok && reply.status !== 2) return undefined;
      const range = length === 0 ? { offset } : { offset, length };
      return {
        run: async (client) => (await client.downloadBytes(id, range)).toString("latin1"),
        expected: ok ? reply.body.toString("latin1") : refused,
      };
    }
    default:
      return undefined;
  }
}

/** What the client was told, in the words of the message. */
async function factsOf(client: FastdfsClient, id: string): Promise<unknown> {
  const { sizeBytes, timestamp, crc32, sourceAddress } = await client.fileInfo(id, {
    ask: "always",
  });
  return { fileSize: sizeBytes, modifiedAt: timestamp, crc32, sourceAddress };
}

function storedId(decoded: unknown): string | undefined {
  const { group, filename } = (decoded ?? {}) as Partial<Fields>;
  return filename === undefined ? undefined : `${group}/${filename}`;
}

/** False for what is malformed on purpose. */
export function isWellFormed(request: Buffer): boolean {
  try {
    decodeRequest(messageOf(request), request, narrowAddresses);
    return true;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

/** A request as far as two clients must agree on it: which store path, and how they want it logged, is their own. */
export function requestFacts(request: Buffer): unknown {
  const message = messageOf(request);
  const { value, end } = decodeRequest(message, request, narrowAddresses);
  const {
    storePathIndex: _path,
    headerStatus: _status,
    ...rest
  } = (value ?? {}) as Record<string, unknown>;
  const length = request.length - headerSize;
  const metadata =
    rest.metadata instanceof Uint8Array ? [...parseMetadata(rest.metadata)].sort() : null;
  const content = request.toString("latin1", end);
  return { name: message.name, length, ...rest, metadata, content };
}
