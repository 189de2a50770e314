/** Reads a whole disk to prove that it is blank. Goes on where an earlier reading of the same plugging stopped; gives way to others. */
import { BlankReading } from "#disks/guard/blank-reading.ts";
import type { VerbResult } from "#disks/helper-protocol.ts";
import { openDisk } from "#helper/disk-view.ts";
import { isMediumError } from "#helper/errors.ts";
import type { Verb, VerbCall } from "#helper/verb-call.ts";
import type { OpenBlockDevice } from "#platform/block-devices.ts";
import { delay } from "#platform/clock.ts";

const progressPeriodMs = 500;

export const readBlank: Verb<"read"> = async (
  { disk, sequence, maxBytes, bytesPerSecond },
  call,
) => {
  const { world, memory } = call;
  using turn = memory.beginReading(disk);
  const open = await openDisk(world, { disk, sequence }, "look");
  await using device = open.device;
  const reading = goOnOrBegin(memory.reading(disk), {
    sequence: open.view.sequence,
    sizeBytes: open.view.disk.sizeBytes,
    changedSectors: open.view.changedSectors,
  });
  memory.keepReading(disk, reading);
  const signal = AbortSignal.any([call.signal, turn.signal]);
  const buffer = Buffer.alloc(reading.next.length);
  const told = progressTeller(call, reading);
  const until = reading.proof.readBytes + maxBytes;
  while (!reading.done && reading.proof.readBytes < until) {
    signal.throwIfAborted();
    const beganMs = world.clock.monotonicMs();
    const { atBytes, length } = reading.next;
    const count = await readOf(device, buffer.subarray(0, length), atBytes);
    // Nor does a device become blank that ends before its size.
    if (count === undefined || count === 0) return resultOf(reading, atBytes);
    reading.take(buffer.subarray(0, count));
    told();
    const leastMs = bytesPerSecond === undefined ? 0 : (count * 1000) / bytesPerSecond;
    const spareMs = leastMs - (world.clock.monotonicMs() - beganMs);
    if (spareMs > 1) await delay(world.clock, spareMs, signal);
  }
  return resultOf(reading, undefined);
};

/** Undefined where the disk answers with an error. Throws where it is gone. */
async function readOf(
  device: OpenBlockDevice,
  target: Uint8Array,
  atBytes: number,
): Promise<number | undefined> {
  try {
    return await device.read(target, atBytes);
  } catch (error) {
    if (isMediumError(error)) return undefined;
    throw error;
  }
}

function goOnOrBegin(
  before: BlankReading | undefined,
  subject: ConstructorParameters<typeof BlankReading>[0],
): BlankReading {
  const proof = before?.proof;
  const fits =
    proof?.sequence === subject.sequence &&
    proof.sizeBytes === subject.sizeBytes &&
    proof.changedSectors === subject.changedSectors;
  return before !== undefined && fits ? before : new BlankReading(subject);
}

function progressTeller({ world, progress }: VerbCall, reading: BlankReading): () => void {
  let nextMs = world.clock.monotonicMs() + progressPeriodMs;
  return () => {
    const nowMs = world.clock.monotonicMs();
    if (nowMs < nextMs) return;
    nextMs = nowMs + progressPeriodMs;
    const { readBytes, sizeBytes } = reading.proof;
    progress({ step: "reading", permille: Math.floor((readBytes / sizeBytes) * 1000) });
  };
}

function resultOf(
  reading: BlankReading,
  unreadableAtBytes: number | undefined,
): VerbResult<"read"> {
  const { readBytes, sizeBytes, dataAtBytes } = reading.proof;
  const blank = dataAtBytes === undefined && readBytes === sizeBytes;
  const done = reading.done || unreadableAtBytes !== undefined;
  return { done, blank, readBytes, sizeBytes, dataAtBytes, unreadableAtBytes };
}
