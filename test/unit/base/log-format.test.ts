import fc from "fast-check";
import { expect, test } from "vitest";
import type { LogRecord } from "#base/log.ts";
import { formatLogLine, type LineOptions } from "#base/log-format.ts";

const atMs = Date.UTC(2026, 10, 23, 4, 5, 6, 789);
const record: LogRecord = {
  level: "warn",
  area: "disks",
  event: "disk-slow",
  data: { disk: "sda", latencyMs: 40, where: "bay 2", gone: undefined },
};

function line(options: Partial<LineOptions>, of: LogRecord = record): string {
  return formatLogLine(of, atMs, { format: "logfmt", journal: false, colour: false, ...options });
}

test("logfmt has time and level, which the journal gets as a number", () => {
  const rest = 'area=disks event=disk-slow disk=sda latencyMs=40 where="bay 2"\n';
  expect(line({})).toBe(`time=2026-11-23T04:05:06.789Z level=warn ${rest}`);
  expect(line({ journal: true })).toBe(`<4>${rest}`);
});

test("the journal's numbers are syslog's", () => {
  const levels = ["error", "warn", "notice", "info", "debug"] as const;
  const heads = levels.map((level) => line({ journal: true }, { ...record, level }).slice(0, 3));
  expect(heads).toEqual(["<3>", "<4>", "<5>", "<6>", "<7>"]);
});

test("JSON is one object a line", () => {
  expect(JSON.parse(line({ format: "json" }))).toEqual({
    time: "2026-11-23T04:05:06.789Z",
    level: "warn",
    area: "disks",
    event: "disk-slow",
    disk: "sda",
    latencyMs: 40,
    where: "bay 2",
  });
});

test("people get the time of day, and colours where they can see them", () => {
  const plain = '04:05:06.789 WARN   disks: disk-slow disk=sda latencyMs=40 where="bay 2"\n';
  expect(line({ format: "pretty" })).toBe(plain);
  expect(line({ format: "pretty", colour: true })).toBe(
    plain.replace("WARN  ", "\u001b[33mWARN  \u001b[0m"),
  );
});

test("no foreign text breaks a line or forges a field", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const written = line({ journal: true }, { ...record, data: { text } });
      expect(written.indexOf("\n")).toBe(written.length - 1);
      const value = written.slice("<4>area=disks event=disk-slow text=".length, -1);
      expect(value.startsWith('"') ? JSON.parse(value) : value).toBe(text);
    }),
  );
});
