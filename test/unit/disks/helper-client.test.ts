/** The daemon's side of the conversation with the root helper. */
import { expect, test } from "vitest";
import { HelperClient, type HelperLine } from "#disks/helper-client.ts";
import { isDeviceName, isDiskName, partitionName } from "#disks/helper-protocol.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { turns } from "../../support/settled.ts";

function stage() {
  const clock = new ManualClock();
  const written: string[] = [];
  let opened = 0;
  const line: HelperLine = {
    onReceive: () => {},
    onClose: () => {},
    write: (text) => void written.push(text),
    close: () => {},
  };
  const client = new HelperClient(async () => {
    opened += 1;
    return line;
  }, clock);
  const say = (value: unknown) => line.onReceive(Buffer.from(`${JSON.stringify(value)}\n`));
  return { clock, client, line, written, say, opened: () => opened };
}

const input = { disk: "sdb", sequence: 7 };
const options = { silenceMs: 1000 };

test("answers find their questions in any order, over one connection", async () => {
  const { client, say, written, opened } = stage();
  const first = client.ask("spin-down", input, options);
  const second = client.ask("eject", input, options);
  await turns();
  expect(written.map((text) => JSON.parse(text))).toEqual([
    { id: 1, verb: "spin-down", ...input },
    { id: 2, verb: "eject", ...input },
  ]);
  say({ id: 2, ok: true, result: { detached: true } });
  say({ id: 1, ok: false, code: "not-supported", message: "no" });
  expect(await second).toEqual({ detached: true });
  await expect(first).rejects.toMatchObject({ code: "not-supported", message: "no" });
  expect(opened()).toBe(1);
});

test("silence counts from the last sign of progress", async () => {
  const { client, say, clock } = stage();
  const steps: string[] = [];
  const asked = client.ask("eject", input, {
    ...options,
    progress: ({ step }) => void steps.push(step),
  });
  await turns();
  clock.advance(900);
  say({ id: 1, progress: { step: "flushing", permille: 5 } });
  clock.advance(900);
  expect(steps).toEqual(["flushing"]);
  clock.advance(200);
  await expect(asked).rejects.toMatchObject({ code: "helper-silent" });
});

test("a lost or senseless helper fails all questions, and is opened anew for the next one", async () => {
  const { client, say, line, opened } = stage();
  const lost = client.ask("eject", input, options);
  await turns();
  line.onClose("it was killed");
  await expect(lost).rejects.toMatchObject({ code: "helper-unreachable" });
  const senseless = client.ask("eject", input, options);
  await turns();
  line.onReceive(Buffer.from("hello\n"));
  await expect(senseless).rejects.toMatchObject({ code: "helper-unreachable" });
  const wrong = client.ask("eject", input, options);
  await turns();
  say({ id: 3, ok: true, result: { detached: "perhaps" } });
  await expect(wrong).rejects.toMatchObject({ code: "shape-mismatch" });
  expect(opened()).toBe(3);
});

test("names of devices are the kernel's for disks, and no others", () => {
  for (const name of ["sda", "sdaz", "nvme0n1", "mmcblk1", "vdb", "loop12"]) {
    expect(isDiskName(name)).toBe(true);
    expect(isDeviceName(partitionName(name, 3))).toBe(true);
  }
  for (const name of [
    "sda1",
    "dm-0",
    "md0",
    "sr0",
    "/dev/sda",
    "sda ",
    "-sda",
    "mmcblk0boot0",
    "",
  ]) {
    expect(isDiskName(name)).toBe(false);
  }
  expect([partitionName("sda", 1), partitionName("nvme0n1", 1)]).toEqual(["sda1", "nvme0n1p1"]);
});
