/** Loads the free space of a group from its trunk binlog, and from the snapshot where there is one (protocol §4.6). Main thread. */
import type { GroupAllocator } from "#filestore/trunk/group-allocator.ts";
import { TrunkLogReplay } from "#filestore/trunk/trunk-log-replay.ts";
import type { TrunkLogClient } from "#filestore/trunk-log-client.ts";

/** Lines of about that many bytes are taken in at a time, a few milliseconds. */
const pieceBytes = 64 * 1024;

export interface LoadProblems {
  /** Lines that are none. */
  readonly invalid: number;
  /** Lines that do not agree with those before. */
  readonly contradicting: number;
}

export interface LoadReport extends LoadProblems {
  /** Of the binlog, beyond what a snapshot told. */
  readonly replayedBytes: number;
}

export interface LoadOptions {
  readonly useSnapshot: boolean;
  /** Asked between the pieces. */
  readonly isWanted: () => boolean;
}

/** Rejects where the files cannot be read. */
export async function loadFreeSpace(
  binlog: Pick<TrunkLogClient, "read">,
  slots: GroupAllocator,
  options: LoadOptions,
): Promise<LoadReport> {
  let replayedBytes = 0;
  let contradicting = 0;
  const apply = (event: Parameters<GroupAllocator["replay"]>[0]): void => {
    if (!slots.replay(event)) contradicting += 1;
  };
  let from = 0;
  let invalid = 0;
  if (options.useSnapshot) {
    const snapshot = new TrunkLogReplay(apply, (offset) => {
      from = offset;
    });
    await readAll("snapshot", 0, snapshot);
    invalid += snapshot.invalid;
  }
  const rest = new TrunkLogReplay(apply);
  await readAll("binlog", from, rest);
  return { invalid: invalid + rest.invalid, contradicting, replayedBytes };

  async function readAll(name: string, start: number, replay: TrunkLogReplay): Promise<void> {
    for (let offset = start; options.isWanted(); ) {
      const piece = await binlog.read(name, offset, pieceBytes);
      if (piece === undefined || piece.bytes.length === 0) return;
      replay.add(piece.bytes);
      offset += piece.bytes.length;
      if (name === "binlog") replayedBytes += piece.bytes.length;
    }
  }
}
