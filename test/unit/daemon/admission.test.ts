/** Who may connect: by address, by names that are looked up, and again after a change. */
import { expect, test } from "vitest";
import { Log, type LogRecord } from "#base/log.ts";
import { loadConfig } from "#config/load-config.ts";
import { Admission } from "#daemon/admission.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { turns } from "../../support/settled.ts";

function rules(...hosts: readonly string[]) {
  const settings = [`node.allow_hosts=${JSON.stringify(hosts)}`];
  return loadConfig([{ kind: "command-line", settings }], { directory: "/work" }).config.node
    .allowHosts;
}

function stage(names: Record<string, readonly string[]>) {
  const records: LogRecord[] = [];
  const clock = new ManualClock();
  const log = new Log("node", (record) => records.push(record));
  const network = {
    resolve: async (name: string) => {
      const found = names[name];
      if (found === undefined) throw new Error(`${name} is unknown`);
      return found;
    },
  };
  return { parts: { clock, log, network }, clock, records, names };
}

test("addresses are admitted by the rules of the node", () => {
  const admission = new Admission(rules("10.0.0.0/8"), stage({}).parts);
  expect([admission.admits("10.1.2.3"), admission.admits("192.0.2.1")]).toEqual([true, false]);
});

test("names are looked up at the start and every minute", async () => {
  const { parts, clock, names } = stage({ "camera.lan": ["192.0.2.7"] });
  const admission = new Admission(rules("camera.lan"), parts);
  expect(admission.admits("192.0.2.7")).toBe(false);
  admission.start();
  await turns();
  expect(admission.admits("192.0.2.7")).toBe(true);
  names["camera.lan"] = ["192.0.2.8"];
  clock.advance(60_000);
  await turns();
  expect([admission.admits("192.0.2.7"), admission.admits("192.0.2.8")]).toEqual([false, true]);
  admission.stop();
});

test("a name that nobody knows is said once, and keeps what it had", async () => {
  const { parts, clock, names, records } = stage({ "camera.lan": ["192.0.2.7"] });
  const admission = new Admission(rules("camera.lan"), parts);
  admission.start();
  await turns();
  delete names["camera.lan"];
  clock.advance(120_000);
  await turns();
  expect(admission.admits("192.0.2.7")).toBe(true);
  expect(records.map(({ event }) => event)).toEqual(["allowed-host-unknown"]);
  admission.stop();
});

test("changed rules count at once", () => {
  const admission = new Admission(rules("*"), stage({}).parts);
  expect(admission.admits("192.0.2.1")).toBe(true);
  admission.change(rules("10.0.0.0/8"));
  expect(admission.admits("192.0.2.1")).toBe(false);
});
