/** When rounds are taken, and what becomes of their ends. The child's part is the test's. */
import { expect, test } from "vitest";
import { Log } from "#base/log.ts";
import type { DiskChange } from "#disks/disk-change.ts";
import { DiskInventory } from "#disks/disk-inventory.ts";
import {
  encodeProbeLine,
  parseRoundRequest,
  type RoundAnswer,
} from "#disks/probe/probe-messages.ts";
import type { DiskFacts } from "#model/disk-facts.ts";
import { diskFacts, mountFacts } from "../../support/disk-facts.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { type ScriptedChild, ScriptedChildren } from "../../support/scripted-children.ts";
import { turns } from "../../support/settled.ts";

const sda = diskFacts({ mounts: [mountFacts()] });
const sdb = diskFacts({ name: "sdb", sequence: 8 });

class Stage {
  readonly clock = new ManualClock();
  readonly children = new ScriptedChildren();
  readonly changes: DiskChange[] = [];
  readonly events: string[] = [];
  readonly inventory: DiskInventory;
  disks: readonly DiskFacts[] = [sda];
  answer: Partial<RoundAnswer> = {};
  /** Questions so far. */
  rounds = 0;
  answers = true;

  constructor() {
    this.inventory = new DiskInventory({
      ...{ children: this.children, clock: this.clock, periodMs: 30_000 },
      log: new Log("disks", ({ event }) => this.events.push(event)),
      ownDirectories: ["/data"],
    });
    this.inventory.subscribe((change) => this.changes.push(change));
    this.children.onStart = (child) => {
      child.onWrite = (text) => this.#asked(child, text);
      queueMicrotask(() => child.say(encodeProbeLine({ kind: "ready" })));
    };
  }

  #asked(child: ScriptedChild, text: string): void {
    this.rounds += 1;
    const request = parseRoundRequest(text);
    if (!this.answers || request === undefined) return;
    const { disks } = this;
    const round: RoundAnswer = {
      ...{ kind: "round", id: request.id, disks, avoided: [], silentMounts: {} },
      ...{ stuck: 0, tookMs: 1, ...this.answer },
    };
    queueMicrotask(() => child.say(encodeProbeLine(round)));
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await turns();
  }
}

test("it looks at once, now and then, and when something happened", async () => {
  const stage = new Stage();
  stage.inventory.start();
  await stage.pass(0);
  expect(stage.inventory.disks.map(({ name }) => name)).toEqual(["sda"]);
  expect(stage.changes.map(({ appeared }) => appeared.length)).toEqual([1]);
  await stage.pass(29_000);
  expect(stage.rounds).toBe(1);
  await stage.pass(1000);
  expect(stage.rounds).toBe(2);
  expect(stage.changes).toHaveLength(1);
  stage.disks = [sdb];
  await stage.pass(5000);
  stage.children.last.say(encodeProbeLine({ kind: "news", names: ["sda", "sdb"] }));
  await stage.pass(0);
  expect(stage.rounds).toBe(3);
  expect(stage.changes[1]).toMatchObject({ appeared: [{ name: "sdb" }], gone: [{ name: "sda" }] });
  stage.inventory.stop();
  expect(stage.children.last.isAbandoned).toBe(true);
  expect(stage.clock.pending).toBe(0);
});

test("who only asks gets a look, and the child is not kept for it", async () => {
  const stage = new Stage();
  expect((await stage.inventory.look(["sda"])).map(({ name }) => name)).toEqual(["sda"]);
  expect(parseRoundRequest(stage.children.last.written[0] ?? "")).toMatchObject({
    ...{ lookInto: ["sda"], ownDirectories: ["/data"] },
  });
  expect(stage.inventory.isWatching).toBe(false);
  await stage.pass(59_000);
  expect(stage.children.last.isAbandoned).toBe(false);
  await stage.pass(1000);
  expect(stage.children.last.isAbandoned).toBe(true);
  expect(stage.clock.pending).toBe(0);
  await stage.inventory.look();
  expect(stage.children.started).toHaveLength(2);
});

test("those who ask while a round is under way share the next one", async () => {
  const stage = new Stage();
  await Promise.all([1, 2, 3, 4].map(() => stage.inventory.look()));
  expect(stage.rounds).toBe(2);
});

test("a disk that the child did not come back from is left out, and said so", async () => {
  const stage = new Stage();
  stage.inventory.start();
  await stage.pass(0);
  stage.answers = false;
  const looking = stage.inventory.look();
  await turns();
  stage.children.last.say(encodeProbeLine({ kind: "at", disk: "sda" }));
  await stage.pass(5000);
  expect((await looking).map(({ name }) => name)).toEqual(["sda"]);
  expect(stage.inventory.report).toMatchObject({ failedRounds: 1, replaced: 1 });
  expect(stage.inventory.report.problems[0]).toMatch(/last at sda$/);
  stage.answers = true;
  stage.disks = [sdb];
  stage.answer = { avoided: ["sda#7"] };
  await stage.pass(1000);
  const request = parseRoundRequest(stage.children.last.written[0] ?? "");
  expect(request?.avoidDisks).toEqual(["sda#7"]);
  expect(stage.inventory.report.problems).toEqual(["sda: it does not answer"]);
  expect(stage.inventory.disks.map(({ name }) => name)).toEqual(["sda", "sdb"]);
});

test("a probe that cannot run is tried again, ever less often", async () => {
  const stage = new Stage();
  stage.children.onStart = (child) => queueMicrotask(() => child.end("ended with 1: no memory"));
  stage.inventory.start();
  await stage.pass(0);
  for (const pauseMs of [1000, 2000, 4000, 8000]) {
    const before = stage.children.started.length;
    await stage.pass(pauseMs - 1);
    expect(stage.children.started).toHaveLength(before);
    await stage.pass(1);
    expect(stage.children.started).toHaveLength(before + 1);
  }
  expect(stage.inventory.report.problems).toEqual([
    "the disks are not looked at: the probe ended with 1: no memory",
  ]);
  expect(stage.events).toContain("probe-failed");
});

test("a mount that is silent is looked at again soon, and then said to hang", async () => {
  const stage = new Stage();
  stage.answer = { silentMounts: { "/srv/a": 300 } };
  stage.inventory.start();
  await stage.pass(0);
  expect(stage.inventory.report.problems).toEqual([]);
  stage.answer = { silentMounts: { "/srv/a": 3300 } };
  await stage.pass(1000);
  expect(stage.rounds).toBe(2);
  expect(stage.inventory.report.problems).toEqual([
    "sda: its file system at /srv/a does not answer",
  ]);
  expect(stage.events).toEqual(["mount-hangs"]);
  await stage.pass(29_000);
  expect(stage.rounds).toBe(2);
  stage.answer = {};
  await stage.pass(1000);
  expect(stage.inventory.report.problems).toEqual([]);
  expect(stage.events).toEqual(["mount-hangs", "mount-answers"]);
});

test("a child with too many threads that wait is exchanged for another one", async () => {
  const stage = new Stage();
  stage.answer = { stuck: 17 };
  stage.inventory.start();
  await stage.pass(0);
  expect(stage.children.started).toHaveLength(2);
  expect(stage.children.started[0]?.isAbandoned).toBe(true);
  expect(stage.inventory.report.replaced).toBe(1);
});
