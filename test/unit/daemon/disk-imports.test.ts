/** Imports as the daemon runs them: one at a time, noted, tried again, and gone on with after a restart. The child is the test's. */
import { expect, test } from "vitest";
import { Log } from "#base/log.ts";
import { DiskImports } from "#daemon/disk-imports.ts";
import type { ImportNews } from "#filestore/import/import-messages.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { ScriptedChildren } from "../../support/scripted-children.ts";

const disk = "d".repeat(32);
const settle = () => new Promise((resolve) => setImmediate(resolve));

class Stage {
  readonly clock = new ManualClock();
  readonly children = new ScriptedChildren();
  readonly texts = new Map<string, string>();
  readonly events: string[] = [];
  mountFails = false;
  isThere = true;
  namesFail = false;
  imports = this.open();

  open(): DiskImports {
    return new DiskImports({
      ...{ clock: this.clock, children: this.children, log: new Log("test", () => {}) },
      host: {
        readText: (path) => this.texts.get(path),
        replaceFile: (path, text) => void this.texts.set(path, String(text)),
        makeDirectory: () => {},
        listDirectory: () => [...this.texts.keys()].map((path) => path.slice("/data/".length)),
      },
      directory: "/data",
      served: () => ["/srv/store0"],
      storage: () => ({ address: "127.0.0.1", port: 23000, group: "group1" }),
      foreignDisk: () => {
        if (!this.isThere) throw new Error("no such disk is there");
        const paths = [0, 1].map((index) => ({ directory: `store/M0${index}`, index }));
        return { group: "group9", paths };
      },
      mount: async (id) => {
        if (this.mountFails) throw new Error("it has gone");
        this.events.push(`mount ${id}`);
        return { mountPoint: "/mnt/d", release: async () => void this.events.push("release") };
      },
      namesSince: async (seconds) => {
        if (this.namesFail) throw new Error("no binlog");
        return [`M00/since/${seconds}`];
      },
    });
  }

  say(news: Partial<ImportNews>): void {
    const whole = { kind: "progress", files: 0, bytes: 0, left: 0, leftNames: [], ...news };
    this.children.last.say(`${JSON.stringify(whole)}\n`);
  }
}

test("each store path of a disk is a child's, one after the other; then the disk is let go of", async () => {
  const stage = new Stage();
  expect(stage.imports.disk(disk)).toBe(disk);
  await settle();
  const [first] = stage.children.started;
  expect(first?.words).toEqual(["self", "import"]);
  expect(JSON.parse(first?.written[0] ?? "")).toEqual({
    ...{ directory: "/mnt/d/store/M00", root: "/mnt/d", index: 0 },
    ...{ group: "group9", newGroup: "group1" },
    ...{ list: `/data/${disk}-0.list`, storage: { address: "127.0.0.1", port: 23000 } },
  });
  stage.say({ files: 3, bytes: 30, left: 1, leftNames: ["x: torn"] });
  expect(stage.imports.imports).toMatchObject([{ state: "running", files: 3, left: 1 }]);
  stage.say({ kind: "interrupted", since: 77 });
  await settle();
  expect(first?.written[1]).toBe('{"names":["M00/since/77"]}\n');
  stage.say({ kind: "done", files: 4, bytes: 40, left: 1, leftNames: ["x: torn"] });
  await settle();
  expect(JSON.parse(stage.children.last.written[0] ?? "")).toMatchObject({ index: 1 });
  stage.say({ kind: "done", files: 2, bytes: 5 });
  await settle();
  expect(stage.imports.imports).toMatchObject([{ state: "done", files: 6, bytes: 45, left: 1 }]);
  expect(stage.events).toEqual([`mount ${disk}`, "release"]);
  // After a restart there is nothing to be done.
  const again = stage.open();
  again.start();
  await settle();
  expect(again.imports).toMatchObject([{ state: "done" }]);
  expect(stage.children.started.length).toBe(2);
});

test("what fails is tried again some times, and on command; what was under way goes on after a restart", async () => {
  const stage = new Stage();
  stage.mountFails = true;
  stage.imports.disk(disk);
  for (let tries = 0; tries < 5; tries += 1) {
    await settle();
    stage.clock.advance(3000);
  }
  await settle();
  expect(stage.imports.imports).toMatchObject([{ state: "failed", problem: "it has gone" }]);
  stage.mountFails = false;
  stage.imports.disk(disk);
  await settle();
  expect(stage.children.started.length).toBe(1);
  stage.imports.stop();
  expect(stage.children.last.isAbandoned).toBe(true);
  const again = stage.open();
  again.start();
  await settle();
  expect(stage.children.started.length).toBe(2);
  stage.children.last.end("it was killed");
  await settle();
  expect(again.imports).toMatchObject([{ state: "waiting", problem: "it was killed" }]);
  stage.clock.advance(3000);
  await settle();
  stage.say({ kind: "failed", why: "no space" });
  await settle();
  expect(again.imports).toMatchObject([{ state: "waiting", problem: "no space" }]);
  stage.clock.advance(3000);
  await settle();
  stage.children.last.say("nonsense\n");
  await settle();
  expect(stage.children.last.isAbandoned).toBe(true);
});

test("what this node serves is no foreign disk, and a note that cannot be read is none", () => {
  const stage = new Stage();
  for (const path of ["/srv/store0", "/srv/store0/data/", "/srv", "/"]) {
    expect(() => stage.imports.directory(path, "group1", 0)).toThrow("is served by this node");
  }
  expect(() => stage.imports.directory("old", "group1", 0)).toThrow("no absolute path");
  stage.texts.set(`/data/${"e".repeat(32)}.json`, "{");
  stage.imports.start();
  expect(stage.imports.imports).toEqual([]);
});

test("an import of a disk that is not there any more at its end is not done", async () => {
  const stage = new Stage();
  stage.imports.disk(disk);
  await settle();
  stage.say({ kind: "done" });
  await settle();
  stage.isThere = false;
  stage.say({ kind: "done", left: 3 });
  await settle();
  expect(stage.imports.imports).toMatchObject([
    { state: "waiting", problem: "no such disk is there" },
  ]);
});

test("a child that was given up is ended: silent ones, and those that nobody can tell what was stored", async () => {
  const stage = new Stage();
  stage.imports.disk(disk);
  await settle();
  stage.clock.advance(9 * 60_000);
  stage.say({ files: 1 });
  stage.clock.advance(9 * 60_000);
  expect(stage.children.last.isAbandoned).toBe(false);
  stage.clock.advance(2 * 60_000);
  expect(stage.children.last.isAbandoned).toBe(true);
  await settle();
  expect(stage.imports.imports).toMatchObject([{ problem: "the disk does not answer" }]);
  stage.clock.advance(3000);
  await settle();
  expect(stage.children.started.length).toBe(2);
  stage.namesFail = true;
  stage.say({ kind: "interrupted", since: 5 });
  await settle();
  expect(stage.children.last.isAbandoned).toBe(true);
  expect(stage.children.last.written.length).toBe(1);
});

test("a group that could not be in a file id is refused", () => {
  const stage = new Stage();
  expect(() => stage.imports.directory("/old", "a b\n", 0)).toThrow("is not a group name");
});
