/** An engine that packs: small trunk files, leased numbers, and what of it one can see from outside. */
import { type Packing, packingFields, packingFrom } from "#filestore/packing.ts";
import { walkSlots } from "#filestore/trunk/slot-walk.ts";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import type { Files } from "#platform/files.ts";
import { type EngineWorld, openEngine, put, viewOf } from "./engine-fixture.ts";
import { ManualClock } from "./manual-clock.ts";

export const smallPacking: Packing = {
  mode: "leased",
  slotMinBytes: 64,
  slotMaxBytes: 4096,
  alignmentBytes: 0,
  trunkFileBytes: 16 * 1024,
  removesUnused: true,
};

export interface PackedEngine {
  readonly engine: StorePathEngine;
  readonly clock: ManualClock;
  /** Does what there is to do in the background. */
  readonly settle: () => void;
}

/** Each engine of a store path gets numbers of its own, as a tracker gives them. */
export function openPacking(
  world: EngineWorld & { readonly packing?: Partial<Packing>; readonly firstNumber?: number },
): PackedEngine {
  const clock = world.clock ?? new ManualClock();
  const settings = { packing: "on", ...world.settings } as const;
  const engine = openEngine({ ...world, clock, settings });
  const packing = packingFrom(packingFields({ ...smallPacking, ...world.packing }));
  if (packing === undefined) throw new Error("no packing can be like that");
  engine.setPacking(packing);
  engine.addTrunkLease(world.firstNumber ?? 1, 50);
  return { engine, clock, settle: () => runBackground(engine, clock) };
}

export function runBackground(engine: StorePathEngine, clock: ManualClock): void {
  for (let turn = 0; turn < 10_000; turn += 1) {
    const afterMs = engine.background.turn(turn === 0);
    if (afterMs === undefined) return;
    clock.advance(afterMs);
  }
  throw new Error("the background work does not end");
}

/** A packed file with this content; its name. */
export function putPacked(engine: StorePathEngine, content: string | Uint8Array): string {
  return put(engine, { kind: "normal", extension: "txt" }, content);
}

/** As `viewOf`, without trunk files that nothing stands in. */
export function packedViewOf(files: Files, directory: string) {
  const view = viewOf(files, directory);
  const kept = Object.entries(view.files).filter(([path, text]) => {
    return !isTrunkPath(path) || /[^\0]/.test(text);
  });
  return { ...view, files: Object.fromEntries(kept) };
}

export function isTrunkPath(path: string): boolean {
  return /\/\d{6,}$/.test(path);
}

/** What a walk finds in each trunk file: slots, free extents, damaged bytes. */
export function walkedTrunkFiles(files: Files, directory: string) {
  const found: Record<string, { slots: number; free: string; damagedBytes: number }> = {};
  for (const [path, text] of Object.entries(viewOf(files, directory).files)) {
    if (!isTrunkPath(path)) continue;
    const bytes = Buffer.from(text, "latin1");
    const steps = walkSlots({
      read: (offset, length) => bytes.subarray(offset, offset + length),
      sizeBytes: bytes.length,
      actualBytes: bytes.length,
      slotMinBytes: 1,
    });
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    const { slots, free, damagedBytes } = step.value;
    const extents = [...free].map(({ offset, size }) => `${offset}+${size}`).join(" ");
    found[path] = { slots, free: extents, damagedBytes };
  }
  return found;
}
