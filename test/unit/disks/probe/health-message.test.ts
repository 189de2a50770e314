/** What the probe child says of the health of disks. */
import { expect, test } from "vitest";
import { encodeProbeLine, parseProbeMessage } from "#disks/probe/probe-messages.ts";

test("a look at health survives its way, and what is none is no message", () => {
  const look = { counters: [], mounts: [], faults: [], hearsKernel: true };
  const line = encodeProbeLine({ kind: "health", look });
  expect(parseProbeMessage(line)).toEqual({ kind: "health", look });
  expect(parseProbeMessage('{"kind":"health","look":{"counters":7}}')).toBeUndefined();
});
