/**
 * Where slots for packed files come from in a group whose trunk files are divided by one storage for all (protocol §4.4, §4.5): the storage
 * role asks the trunk server. Main thread.
 */
import { AppError } from "#base/app-error.ts";
import { decodeBase, trunkBaseLength } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";
import type { TrunkLocation } from "#model/trunk-location.ts";

export interface SlotSource {
  /** A slot for `sizeBytes` of content on that store path; undefined where the file is to be one of its own. Never rejects. */
  allocate(storePathIndex: number, sizeBytes: number): Promise<TrunkLocation | undefined>;
  /** `kept`: the slot holds a file now; `occupied`: it held one before; `unused`: it can be given to another one. Never rejects. */
  confirm(location: TrunkLocation, outcome: SlotOutcome): Promise<void>;
  /** The slot holds nothing any more. Never rejects. */
  free(location: TrunkLocation): Promise<void>;
  /** Whoever divides the slots is there, as far as is known. */
  readonly isReady: boolean;
}

export type SlotOutcome = "kept" | "occupied" | "unused";

/** Stores a file by `store`, in a slot where `slots` has one for it, and tells what became of that. */
export async function storeInSlot(
  slots: SlotSource,
  wanted: { readonly storePathIndex: number; readonly sizeBytes: number },
  store: (slot: TrunkLocation | undefined) => Promise<string>,
): Promise<string> {
  const slot = await slots.allocate(wanted.storePathIndex, wanted.sizeBytes);
  if (slot === undefined) return store(undefined);
  let outcome: SlotOutcome = "unused";
  try {
    const name = await store(slot);
    outcome = "kept";
    return name;
  } catch (error) {
    outcome = outcomeOf(error);
    throw error;
  } finally {
    await slots.confirm(slot, outcome);
  }
}

/** Where nobody knows whether the file was stored, its slot must not be given to another one. */
function outcomeOf(error: unknown): SlotOutcome {
  const code = error instanceof AppError ? error.code : "";
  if (code === "file-exists") return "occupied";
  return code === "store-path-offline" ? "kept" : "unused";
}

/** The slot of a packed file, by its logical name; undefined for other files. */
export function slotOfName(name: string): TrunkLocation | undefined {
  const parsed = parseRemoteFilename(name);
  if (parsed?.base.length !== trunkBaseLength) return undefined;
  const slot = decodeBase(parsed.base)?.trunk;
  if (slot === undefined) return undefined;
  const { storePathIndex, high, low } = parsed;
  return { storePathIndex, high, low, ...slot };
}
