/** Writes down what is free in a group's trunk files, so that the next trunk server here has not to read its whole binlog (protocol §4.6). Main thread. */
import { trunkLogLine } from "#filestore/formats/trunk-log-line.ts";
import type { GroupAllocator } from "#filestore/trunk/group-allocator.ts";
import { maxTrunkLogPieceBytes, type TrunkLogClient } from "#filestore/trunk-log-client.ts";

export interface SnapshotOptions {
  readonly nowSeconds: number;
  /** Asked between the pieces. */
  readonly isWanted: () => boolean;
}

/**
 * `slots` is what the whole binlog says, and stays so meanwhile; slots that are held are free to whoever reads it. True where it was
 * written. Rejects where the store path is away.
 */
export async function writeSnapshot(
  binlog: Pick<TrunkLogClient, "size" | "writeSnapshot">,
  slots: GroupAllocator,
  { nowSeconds, isWanted }: SnapshotOptions,
): Promise<boolean> {
  if (!slots.isComplete) return false;
  const binlogBytes = await binlog.size();
  let isFirst = true;
  let lines: string[] = [];
  let bytes = 0;
  const send = async (isLast: boolean): Promise<boolean> => {
    const piece = { isFirst, isLast, binlogBytes, lines: Buffer.from(lines.join(""), "latin1") };
    isFirst = false;
    lines = [];
    bytes = 0;
    return isWanted() && (await binlog.writeSnapshot(piece));
  };
  for (const { held: _held, ...location } of slots.slots()) {
    const line = trunkLogLine("free", nowSeconds, location);
    if (bytes + line.length > maxTrunkLogPieceBytes && !(await send(false))) return false;
    lines.push(line);
    bytes += line.length;
  }
  return send(true);
}
