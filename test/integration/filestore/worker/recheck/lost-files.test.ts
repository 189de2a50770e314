/** What is kept of lost files, and how they are listed. */
import { expect, test } from "vitest";
import { Log } from "#base/log.ts";
import { openStorePath } from "#filestore/worker/open-store-path.ts";
import { maxAside, maxListBytes } from "#filestore/worker/recheck/limits.ts";
import { LostFiles } from "#filestore/worker/recheck/lost-files.ts";
import { readText, settingsFor, viewOf } from "../../../../support/engine-fixture.ts";
import { ManualClock } from "../../../../support/manual-clock.ts";
import { MemoryFiles } from "../../../../support/memory-files.ts";
import { peerName } from "../../../../support/replica-stage.ts";
import { seededRandom } from "../../../../support/seeded-random.ts";
import { writeFile } from "../../../../support/store-path-vectors.ts";

const directory = "/disk";
const own = `${directory}/data/.cairn`;

function stage() {
  const files = new MemoryFiles(directory);
  const settings = settingsFor({ files, directory, settings: { durability: "relaxed" } });
  const log = new Log("test", () => {});
  const world = { files, clock: new ManualClock(), random: seededRandom(1), log };
  const { store } = openStorePath(settings, world);
  for (const path of ["01", "01/02"]) files.makeDirectory(`${directory}/data/${path}`);
  const lost = new LostFiles(store);
  const spoil = (number: number) => {
    const place = store.layout.place(peerName("content", { number }));
    writeFile(files, place.path, "con");
    lost.wrong(place);
    return place;
  };
  return { files, lost, spoil };
}

test("what left its place stays away after another power cut, and is known to come back", () => {
  const { files, lost, spoil } = stage();
  const [one, two] = [spoil(1), spoil(2)];
  files.flushDirectory(`${directory}/data/01/02`);
  expect(lost.flush()).toBe(2);
  expect(lost.flush()).toBe(0);
  expect(viewOf(files, directory).binlog).toBe(`0 d ${one.name}\n0 d ${two.name}\n`);
  expect([lost.examples, lost.stillLost]).toEqual([[one.name, two.name], 2]);
  writeFile(files, one.path, "content");
  expect(lost.stillLost).toBe(1);
  lost.dropReplaced();
  expect(files.list(`${own}/aside`)).toEqual([`01.02.${two.base}`]);
  files.powerCut();
  expect(files.stat(two.path, false)).toBe(undefined);
});

test("what is kept, and the list, have their limits", () => {
  const { files, lost, spoil } = stage();
  for (let number = 0; number < maxAside + 5; number += 1) {
    const { path } = spoil(number);
    expect(files.stat(path, false)).toBe(undefined);
  }
  expect(files.list(`${own}/aside`)?.length).toBe(maxAside);
  expect(lost.flush()).toBe(maxAside + 5);
  writeFile(files, `${own}/lost-files`, "x".repeat(maxListBytes - 100));
  for (let number = 2000; number < 2003; number += 1) spoil(number);
  lost.flush();
  const list = readText(files, `${own}/lost-files`);
  expect(list.length).toBeLessThanOrEqual(maxListBytes);
  expect(list.slice(maxListBytes - 100)).toMatch(/^\d+ M00\/01\/02\/\S+ 3 bytes\n$/);
});
