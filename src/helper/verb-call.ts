/** What a verb gets to do its work with. */
import type { Progress, VerbInput, VerbName, VerbResult } from "#disks/helper-protocol.ts";
import type { HelperMemory } from "#helper/helper-memory.ts";
import type { HelperWorld } from "#helper/helper-world.ts";
import type { WorkNotes } from "#helper/work-notes.ts";
import type { WriteProtection } from "#helper/write-protection.ts";

export interface VerbCall {
  readonly world: HelperWorld;
  readonly memory: HelperMemory;
  readonly notes: WorkNotes;
  readonly protection: WriteProtection;
  /** Aborted when whoever asked is gone. Only what may stop anywhere listens to it. */
  readonly signal: AbortSignal;
  readonly progress: (progress: Progress) => void;
}

export type Verb<V extends VerbName> = (
  input: VerbInput<V>,
  call: VerbCall,
) => Promise<VerbResult<V>>;

/** One function for each verb: a missing one does not compile. */
export type Verbs = { readonly [V in VerbName]: Verb<V> };
