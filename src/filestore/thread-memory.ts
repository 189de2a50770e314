/** The memory that one store-path worker shares with the main thread, beside the blocks, which outlive it. */
import { makeRingMemory } from "#filestore/ring.ts";
import { makePulseMemory, PathPulse } from "#filestore/worker/path-condition.ts";

export interface ThreadMemory {
  readonly requests: SharedArrayBuffer;
  readonly completions: SharedArrayBuffer;
  readonly pulseMemory: SharedArrayBuffer;
  readonly pulse: PathPulse;
}

export function makeThreadMemory(): ThreadMemory {
  const pulseMemory = makePulseMemory();
  return {
    requests: makeRingMemory(),
    completions: makeRingMemory(),
    pulseMemory,
    pulse: new PathPulse(pulseMemory),
  };
}
