/**
 * Opening a file for a reader: one request brings its facts and its begin, into a block or straight to the peer who waits for it. Without
 * further promises: every download comes through. Main thread.
 */
import { blockRoom, blockSizeFor, largeBlockBytes } from "#filestore/block-pool.ts";
import type { OpenedFile, OpenOptions, Range } from "#filestore/file-store.ts";
import { ReadSource } from "#filestore/read-source.ts";
import { maxResidentBytes, type ResidentReads } from "#filestore/resident-reads.ts";
import type { StorePathClient } from "#filestore/store-path-client.ts";
import { flagEmptyIsFine, frontShift, request } from "#filestore/worker-messages.ts";
import { isTrunkBase } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";
import type { DirectPeer } from "#net/direct-peer.ts";
import type { SocketLease } from "#platform/lent-sockets.ts";

interface Opening {
  readonly name: string;
  readonly range: Range;
  readonly flags: number;
  /** The size that the name says, or 0. */
  readonly named: number;
  /** Of the range, as the name says. */
  readonly announced: number;
  readonly peer: DirectPeer | undefined;
  readonly lease?: SocketLease | undefined;
}

/** Longer ranges of files of their own go to their peers without being read into a block; for shorter ones it does not pay (measured). */
export const directBytes = 128 * 1024;

/** As `FileStore.open`. */
export function openRead(
  client: StorePathClient,
  name: string,
  how: OpenOptions & { readonly range: Range; readonly resident?: ResidentReads | undefined },
): Promise<OpenedFile> {
  const { range, sizeInName: named = 0 } = how;
  const flags = how.emptyIsFine === true ? flagEmptyIsFine : 0;
  const length = saidLength(range, named);
  const isLong = named === 0 || length > directBytes;
  const peer = isLong && how.peer?.isDirect === true && !isPacked(name) ? how.peer : undefined;
  const opening = { name, range, flags, named, announced: length, peer };
  if (length > directBytes) {
    const lease = peer?.lend();
    const small = lease === undefined ? undefined : client.blocks.tryTake("small");
    if (small !== undefined) return openInto(client, small, { ...opening, lease });
    lease?.giveBack();
  }
  const expected = range.length === 0 ? (how.sizeInName ?? largeBlockBytes) : range.length;
  const size = blockSizeFor(expected);
  const block = client.blocks.tryTake(size);
  if (block !== undefined) {
    const isWhole = named > 0 && length === named && named <= maxResidentBytes;
    if (isWhole && how.resident?.readWhole(name, block, named) === true) {
      return Promise.resolve(residentFile(client, block, named));
    }
    return openInto(client, block, opening);
  }
  return client.blocks.take(size).then((late) => openInto(client, late, opening));
}

/** A whole file that is in the block already. As ever where the name says the size, its time is not told. */
function residentFile(client: StorePathClient, block: number, sizeBytes: number): OpenedFile {
  const all = { offset: 0, length: sizeBytes, firstBlock: block, firstLength: sizeBytes };
  return { sizeBytes, modifiedSeconds: 0, body: new ReadSource(client, { ...all, handle: 0 }) };
}

/** Of the range in a file of the size that its name says; 0 where that is not said, or has no such range. */
function saidLength({ offset, length }: Range, named: number): number {
  const rest = Math.max(0, named - offset);
  return length === 0 ? rest : Math.min(length, rest);
}

function isPacked(name: string): boolean {
  const parsed = parseRemoteFilename(name);
  return parsed === undefined || isTrunkBase(parsed.base);
}

function openInto(client: StorePathClient, block: number, how: Opening): Promise<OpenedFile> {
  const { name, range, named, peer, lease } = how;
  const { offset, length } = range;
  const { view, front } = prepareBlock(client, block, how);
  return new Promise((resolve, reject) => {
    client.ask(
      {
        ...{ kind: request.read, text: name, a: offset, b: length, c: named },
        ...{ flags: how.flags | (front << frontShift), block, blockLength: view.length, lease },
      },
      (opened) => {
        const rest = opened.a - offset;
        const sent = lease === undefined ? undefined : opened.b;
        const body = new ReadSource(client, {
          ...{ handle: opened.c, offset, length: length === 0 ? rest : Math.min(length, rest) },
          ...{ firstBlock: block, firstLength: opened.blockLength, sent },
          ...{ gone: Math.max(0, (sent ?? 0) - front), peer },
        });
        resolve({ sizeBytes: opened.a, modifiedSeconds: opened.b, body });
      },
      (error) => {
        client.blocks.give(block);
        reject(error);
      },
    );
  });
}

/** Where the peer is answered directly, its header is in front of the block's data. */
function prepareBlock(
  client: StorePathClient,
  block: number,
  { peer, lease, announced }: Opening,
): { readonly view: Uint8Array; readonly front: number } {
  const view = client.blocks.view(block);
  if (peer === undefined || lease === undefined) return { view, front: 0 };
  const { headerBytes: front } = peer;
  peer.writeHeader(client.blocks.room(block), blockRoom - front, announced);
  return { view, front };
}
