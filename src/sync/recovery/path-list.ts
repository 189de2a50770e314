/**
 * The list of a store path's files as a peer sends it for a recovery, by command 26 (protocol §2.7/26, §7): lines up to the end of the
 * connection, of which the last eight bytes are the length of all before.
 */
import { type BinlogEntry, decodeEntry } from "#filestore/binlog/entry.ts";
import type { ByteFlow } from "#net/byte-flow.ts";
import { netError } from "#net/errors.ts";
import { fetchOnePathBinlog } from "#protocol/fastdfs/storage-sync.ts";
import type { PeerExchange } from "#sync/anti-entropy/peer-exchange.ts";
import { maxListBytes } from "#sync/recovery/limits.ts";

const trailerBytes = 8;
const lineFeed = 0x0a;

/** A file that the peer has. */
export interface ListedFile {
  readonly name: string;
  /** Unix seconds. */
  readonly timestamp: number;
  /** What a link means; undefined for a file. */
  readonly target: string | undefined;
}

/** Rejects where the list ends early, or is too long. */
export async function fetchPathList(
  exchange: PeerExchange,
  where: { readonly group: string; readonly storePathIndex: number },
): Promise<readonly Buffer[]> {
  return await exchange.download(fetchOnePathBinlog, where, collectList);
}

/** What came before the trailer, in pieces. The end of the connection is the end of the list, if the trailer says so. */
export async function collectList(flow: Pick<ByteFlow, "drainTo">): Promise<readonly Buffer[]> {
  const pieces: Buffer[] = [];
  let length = 0;
  try {
    await flow.drainTo({
      write: (chunk) => {
        length += chunk.length;
        if (length > maxListBytes) throw netError("peer-misbehaved", "the list is too long");
        pieces.push(Buffer.from(chunk));
        return true;
      },
    });
  } catch (error) {
    if (length < trailerBytes || length > maxListBytes || !saysLength(pieces, length)) throw error;
  }
  return withoutTrailer(pieces);
}

function saysLength(pieces: readonly Buffer[], length: number): boolean {
  const end = Buffer.concat(lastPieces(pieces)).subarray(-trailerBytes);
  return end.readBigInt64BE() === BigInt(length - trailerBytes);
}

function lastPieces(pieces: readonly Buffer[]): readonly Buffer[] {
  let from = pieces.length;
  for (let length = 0; from > 0 && length < trailerBytes; ) {
    from -= 1;
    length += pieces[from]?.length ?? 0;
  }
  return pieces.slice(from);
}

function withoutTrailer(pieces: readonly Buffer[]): readonly Buffer[] {
  const last = lastPieces(pieces);
  const kept = pieces.slice(0, pieces.length - last.length);
  return [...kept, Buffer.concat(last).subarray(0, -trailerBytes)];
}

/**
 * The files of a list, each once, in order. Lines that are none are passed over. What a C storage's links mean is told as `target`; a name
 * that was replicated to it without one (protocol §2.7/19) is not there.
 */
export function* listedFiles(pieces: readonly Buffer[]): Generator<ListedFile, void> {
  let rest = Buffer.alloc(0);
  for (const piece of pieces) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const end = bytes.lastIndexOf(lineFeed) + 1;
    rest = Buffer.from(bytes.subarray(end));
    if (end === 0) continue;
    for (const line of bytes.toString("latin1", 0, end - 1).split("\n")) {
      const file = listedFile(decodeEntry(line));
      if (file !== undefined) yield file;
    }
  }
}

function listedFile(entry: BinlogEntry | undefined): ListedFile | undefined {
  if (entry === undefined) return undefined;
  const { name, timestamp } = entry;
  if (entry.kind === "link") return { name, timestamp, target: entry.target };
  const isFile = entry.kind === "create" || entry.kind === "rename" || entry.kind === "update";
  return isFile ? { name, timestamp, target: undefined } : undefined;
}
