import { expect, test } from "vitest";
import { Log } from "#base/log.ts";
import { MetricRegistry } from "#base/metrics.ts";
import { startInventory } from "#daemon/node-disks.ts";
import { encodeProbeLine, parseRoundRequest } from "#disks/probe/probe-messages.ts";
import type { DiskFacts } from "#model/disk-facts.ts";
import { defaultConfig } from "../../support/config.ts";
import { diskFacts } from "../../support/disk-facts.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { ScriptedChildren } from "../../support/scripted-children.ts";
import { ScriptedHost } from "../../support/scripted-host.ts";
import { turns } from "../../support/settled.ts";

function stage(manage: boolean) {
  const clock = new ManualClock();
  const children = new ScriptedChildren();
  const events: string[] = [];
  const requests: string[] = [];
  const here: { disks: readonly DiskFacts[] } = { disks: [diskFacts()] };
  children.onStart = (child) => {
    child.onWrite = (text) => {
      requests.push(text);
      const id = parseRoundRequest(text)?.id ?? 0;
      const round = { avoided: [], silentMounts: {}, stuck: 0, tookMs: 1 };
      const line = encodeProbeLine({ kind: "round", id, ...here, ...round });
      queueMicrotask(() => child.say(line));
    };
    queueMicrotask(() => child.say(encodeProbeLine({ kind: "ready" })));
  };
  const log = new Log("disks", ({ event, data }) => events.push(`${event} ${data.disk}`));
  const config = defaultConfig({ disks: { manage, probePeriodMs: 10_000 } });
  const parts = { log, metrics: new MetricRegistry() };
  const inventory = startInventory({ children, clock, host: new ScriptedHost() }, config, parts);
  return { clock, children, events, requests, here, inventory };
}

test("disks are watched where the settings say so, and who comes and goes is logged", async () => {
  const { clock, events, requests, here, inventory } = stage(true);
  clock.advance(0);
  await turns();
  expect(events).toEqual([]);
  expect(parseRoundRequest(requests[0] ?? "")?.ownDirectories[0]).toMatch(/^\//);
  here.disks = [diskFacts({ name: "sdb", sequence: 9 })];
  clock.advance(10_000);
  await turns();
  expect(events).toEqual(["disk-appeared sdb", "disk-gone sda"]);
  inventory?.stop();
});

test("else nothing is started until somebody asks", async () => {
  const { clock, children, inventory } = stage(false);
  clock.advance(100_000);
  expect(children.started).toEqual([]);
  expect(await inventory?.look()).toHaveLength(1);
  inventory?.stop();
});

test("without children nobody looks", () => {
  const parts = { log: new Log("disks", () => {}), metrics: new MetricRegistry() };
  const platform = { clock: new ManualClock(), host: new ScriptedHost() };
  expect(startInventory(platform, defaultConfig(), parts)).toBeUndefined();
});
