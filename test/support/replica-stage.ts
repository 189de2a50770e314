/** Peers' changes at an engine over simulated files: names as a peer gives them, and what becomes of each change. */
import { crc32 } from "node:zlib";
import type { Change, StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { makeBase } from "#model/file-base.ts";
import type { TrunkSlot } from "#model/trunk-location.ts";
import { commit, runSteps, stage } from "./engine-fixture.ts";

export const peerTime = 1_699_990_000;

/** A logical name that a peer at 10.9.0.3 gives. */
export function peerName(
  content: string | Uint8Array,
  how: {
    readonly number?: number;
    readonly kind?: "normal" | "appender";
    readonly timestamp?: number;
    readonly trunk?: TrunkSlot;
  } = {},
): string {
  const bytes = Buffer.from(content as string);
  const { number = 1, kind = "normal", timestamp = peerTime, trunk } = how;
  const base = makeBase({
    source: { kind: "address", address: "10.9.0.3" },
    ...{ timestamp, size: bytes.length, crc32: crc32(bytes), randomBits: number },
    ...(trunk === undefined ? { kind } : { kind: "trunk", trunk }),
    tail: "123.txt",
  });
  return `M00/01/02/${base}`;
}

export interface PeerFile {
  readonly name: string;
  readonly content: string | Uint8Array;
  readonly timestamp?: number;
  readonly mode?: "create" | "replace";
  readonly crc32?: number | undefined;
  readonly pieces?: number;
  readonly versioned?: boolean;
}

/** The prepared change of a file that a peer made. Throws as the engine does. */
export function stageReplica(engine: StorePathEngine, file: PeerFile): Change {
  const { name, content, timestamp = peerTime, mode = "create", pieces } = file;
  const { crc32, versioned } = file;
  const target = { kind: "replica", name, timestamp, mode, crc32, versioned } as const;
  return stage(engine, target, pieces === undefined ? { content } : { content, pieces });
}

/** The outcome; "" where it was done. */
export function replicate(engine: StorePathEngine, file: PeerFile): string {
  return commit(engine, stageReplica(engine, file));
}

export function splice(
  engine: StorePathEngine,
  kind: "append" | "modify",
  range: {
    readonly name: string;
    readonly offset: number;
    readonly content: string;
    readonly timestamp?: number;
    readonly versioned?: boolean;
    readonly goesOn?: boolean;
  },
): string {
  const { name, offset, content, timestamp = peerTime, versioned, goesOn } = range;
  const about = { name, offset, timestamp, versioned, goesOn };
  const target = { kind: `replica-${kind}`, ...about } as const;
  return commit(engine, stage(engine, target, { content }));
}

export function remove(engine: StorePathEngine, name: string, timestamp = peerTime): string {
  return commit(engine, engine.replication.changes.remove(name, timestamp));
}

export function rename(engine: StorePathEngine, name: string, source: string): string {
  const names = { name, source, timestamp: peerTime };
  return commit(engine, runSteps(engine.replication.changes.rename(names)));
}

/** The binlog from its begin to what peers may read. */
export function readableBinlog(engine: StorePathEngine): string {
  const page = Buffer.alloc(64 * 1024);
  let text = "";
  let from = { index: 0, offset: 0 };
  for (;;) {
    const { length, next, atEnd } = runSteps(
      engine.replication.readBinlog(from, page, page.length),
    );
    text += page.toString("latin1", 0, length);
    if (atEnd) return text;
    from = next;
  }
}

/** The code of what `action` throws. */
export function codeOf(action: () => unknown): string {
  try {
    action();
    return "";
  } catch (error) {
    return (error as { readonly code?: string }).code ?? String(error);
  }
}
