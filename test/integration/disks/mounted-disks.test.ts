/** Disks below the mount directory, found by real children. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MountedDisks } from "#disks/mounted-disks.ts";
import { type Commands, commandError } from "#platform/commands.ts";
import { nodeCommands } from "#platform/node/node-commands.ts";
import { nodeHost } from "#platform/node/node-host.ts";
import { collectedLog } from "../../support/frame-fixture.ts";
import { passportText } from "../../support/passports.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cairn-mounted-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function disk(name: string, files: Readonly<Record<string, string>>): void {
  const own = join(folder, name, ".cairn-disk");
  mkdirSync(own, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(own, file), text);
}

function finder(commands: Commands = nodeCommands()) {
  const { log, records } = collectedLog();
  return {
    disks: new MountedDisks({ commands, host: nodeHost(), log, mountDirectory: folder }),
    events: () => records.map(({ event }) => event),
  };
}

test("what carries a passport is found, by the better copy; what carries none is not", async () => {
  disk("a", { "passport.json": passportText({ revision: 2 }), "passport.copy.json": "torn" });
  disk("b", { "passport.json": "torn", "passport.copy.json": "" });
  mkdirSync(join(folder, "c"));
  writeFileSync(join(folder, "d"), "no directory");
  const found = await finder().disks.find();
  expect(
    found.map(({ place, passport }) => [
      place.slice(folder.length),
      passport.kind === "genuine" ? passport.passport.revision : passport,
    ]),
  ).toEqual([
    ["/a", 2],
    ["/b", { kind: "unreadable", why: expect.stringContaining("the disk's passport") }],
  ]);
});

test("the stamp changes with what comes and goes", () => {
  const { disks } = finder();
  const before = disks.stamp;
  mkdirSync(join(folder, "a"));
  const after = disks.stamp;
  expect(after).not.toBe(before);
  expect(disks.stamp).toBe(after);
  expect(
    new MountedDisks({
      ...{ commands: nodeCommands(), host: nodeHost(), log: collectedLog().log },
      mountDirectory: join(folder, "none"),
    }).stamp,
  ).toBe("");
});

test("a disk that does not answer is silent, and the others are found", async () => {
  disk("a", { "passport.json": passportText() });
  disk("hangs", { "passport.json": passportText() });
  const real = nodeCommands();
  const commands: Commands = {
    run: (program, parameters, options) =>
      parameters.some((each) => each.includes("/hangs/"))
        ? Promise.reject(commandError("command-hung", "cat hung"))
        : real.run(program, parameters, options),
  };
  const { disks, events } = finder(commands);
  const found = await disks.find();
  expect(found.map(({ passport }) => passport.kind)).toEqual(["genuine", "silent"]);
  expect(events()).toEqual(["disk-silent"]);
});

test("a file of a disk is copied to the system's own, or the reason is told", async () => {
  disk("a", { "state.copy": "content" });
  const { disks } = finder();
  const to = join(folder, "copied");
  await disks.copyFile(join(folder, "a"), "state.copy", to);
  expect(readFileSync(to, "utf8")).toBe("content");
  const none = disks.copyFile(join(folder, "a"), "other", join(folder, "none"));
  await expect(none).rejects.toMatchObject({ code: "disk-unreadable" });
  expect(existsSync(join(folder, "none"))).toBe(false);
  chmodSync(to, 0o600);
});
