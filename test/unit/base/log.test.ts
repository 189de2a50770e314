import { expect, test } from "vitest";
import { ignore, Log, type LogRecord, levelPasses } from "#base/log.ts";

function recorded(): { readonly log: Log; readonly records: LogRecord[] } {
  const records: LogRecord[] = [];
  return { log: new Log("test", (record) => records.push(record)), records };
}

test("each level writes its event and data under its area", () => {
  const { log, records } = recorded();
  log.error("disk-gone", { disk: "sda" });
  log.warn("disk-slow");
  log.notice("disk-back");
  const inner = log.for("inner");
  inner.info("counted", { files: 3 });
  inner.debug("seen");
  expect(records).toEqual([
    { level: "error", area: "test", event: "disk-gone", data: { disk: "sda" } },
    { level: "warn", area: "test", event: "disk-slow", data: {} },
    { level: "notice", area: "test", event: "disk-back", data: {} },
    { level: "info", area: "inner", event: "counted", data: { files: 3 } },
    { level: "debug", area: "inner", event: "seen", data: {} },
  ]);
});

test("a level passes where the limit is as talkative or more", () => {
  const levels = ["error", "warn", "notice", "info", "debug"] as const;
  expect(levels.filter((level) => levelPasses(level, "notice"))).toEqual([
    "error",
    "warn",
    "notice",
  ]);
  expect(levels.every((level) => levelPasses(level, "debug"))).toBe(true);
});

test("an ignored failure says why at debug, an ignored success says nothing", async () => {
  const { log, records } = recorded();
  ignore(Promise.reject(new Error("gone")), log, "the peer left");
  ignore(Promise.resolve(), log, "no matter");
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(records).toEqual([
    {
      level: "debug",
      area: "test",
      event: "ignored-failure",
      data: { why: "the peer left", error: "Error: gone" },
    },
  ]);
});
