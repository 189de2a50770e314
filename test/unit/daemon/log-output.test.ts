/** Log lines by who reads them. */
import { expect, test } from "vitest";
import { Log } from "#base/log.ts";
import { LogOutput } from "#daemon/log-output.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { ScriptedHost } from "../../support/scripted-host.ts";

type Settings = ConstructorParameters<typeof LogOutput>[2];

function written(host: ScriptedHost, settings: Settings): string {
  const output = new LogOutput(host, new ManualClock(), settings);
  new Log("test", output.sink).notice("started", { port: 7 });
  return host.errors;
}

test("a program is given fields, a terminal something to read, the journal its priorities", () => {
  const settings = { level: "info", format: "auto" } as const;
  expect(written(new ScriptedHost(), settings)).toMatch(/^time=\S+ level=notice .*port=7\n$/);
  const terminal = new ScriptedHost();
  terminal.interactive = true;
  expect(written(terminal, settings)).toContain("\u001b[");
  const journal = new ScriptedHost();
  journal.environment = { JOURNAL_STREAM: "8:1" };
  expect(written(journal, settings)).toMatch(/^<5>area=test event=started port=7\n$/);
});

test("NO_COLOR is respected", () => {
  const host = new ScriptedHost();
  host.interactive = true;
  host.environment = { NO_COLOR: "1" };
  expect(written(host, { level: "info", format: "auto" })).not.toContain("\u001b[");
});

test("a chosen form is kept", () => {
  const line = written(new ScriptedHost(), { level: "info", format: "json" });
  expect(JSON.parse(line)).toMatchObject({ event: "started", port: 7 });
});

test("the level can change while it runs", () => {
  const host = new ScriptedHost();
  const output = new LogOutput(host, new ManualClock(), { level: "error", format: "logfmt" });
  const log = new Log("test", output.sink);
  log.notice("unheard");
  output.level = "debug";
  log.debug("heard");
  expect(host.errors).toContain("event=heard");
  expect(host.errors).not.toContain("unheard");
});
