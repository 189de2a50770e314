import { expect, test } from "vitest";
import {
  changesThatNeedRestart,
  configChanges,
  describeConfig,
  formatRowValue,
  settingsReference,
} from "#config/describe-config.ts";
import { loadConfig } from "#config/load-config.ts";
import { schemaKeys } from "#config/schema.ts";
import { defaultConfig } from "../../support/config.ts";

const text = [
  "[storage]",
  "port = 24000",
  "[[storage.path]]",
  'directory = "/a"',
  "[[storage.path]]",
  'directory = "/b"',
  "readonly = true",
  "[gateway.anti_leech]",
  'secret = "hunter2"',
].join("\n");

test("each setting is one row with value, origin and sentence", () => {
  const { config, origins } = loadConfig(
    [
      { kind: "file", name: "cairn.toml", directory: "/etc", text },
      { kind: "environment", variables: { CAIRN_NODE_NAME: "box" } },
    ],
    { directory: "/" },
  );
  const rows = describeConfig(config, origins);
  const shown = rows
    .filter((row) => row.origin !== "built-in")
    .map((row) => `${row.key} = ${formatRowValue(row)} (${row.origin})`);
  expect(shown).toEqual([
    'node.name = "box" (environment CAIRN_NODE_NAME)',
    "storage.port = 24000 (cairn.toml:2)",
    'storage.path[0].directory = "/a" (cairn.toml:3)',
    "storage.path[0].readonly = false (cairn.toml:3)",
    "storage.path[0].take_over = false (cairn.toml:3)",
    'storage.path[1].directory = "/b" (cairn.toml:3)',
    "storage.path[1].readonly = true (cairn.toml:3)",
    "storage.path[1].take_over = false (cairn.toml:3)",
    "gateway.anti_leech.secret = <secret> (cairn.toml:9)",
  ]);
  expect(JSON.stringify(rows)).not.toContain("hunter2");
  expect(rows.find((row) => row.key === "node.max_connections")).toEqual({
    key: "node.max_connections",
    value: 16384,
    origin: "built-in",
    unit: "connections",
    applies: "role-restart",
    says: expect.stringMatching(/\.$/),
  });
});

test("a secret that is not set is shown as empty", () => {
  const rows = describeConfig(defaultConfig(), new Map());
  expect(rows.find((row) => row.key === "gateway.anti_leech.secret")?.value).toBe("");
});

test("a reload knows what changed and what it cannot apply", () => {
  const before = defaultConfig();
  const after = defaultConfig({
    node: { logLevel: "debug", name: "other" },
    storage: {
      paths: [{ directory: "/x", readonly: false, takeOver: false }],
      trackers: [{ addresses: ["a"], port: 1 }],
    },
    gateway: { antiLeech: { secret: "new" } },
  });
  expect(configChanges(before, before)).toEqual([]);
  expect(configChanges(before, after)).toEqual([
    { key: "node.name", applies: "daemon-restart" },
    { key: "node.log_level", applies: "now" },
    { key: "storage.trackers", applies: "role-restart" },
    { key: "storage.path", applies: "role-restart" },
    { key: "gateway.anti_leech.secret", applies: "role-restart" },
  ]);
  expect(changesThatNeedRestart(before, after).map(({ key }) => key)).toEqual([
    "node.name",
    "storage.trackers",
    "storage.path",
    "gateway.anti_leech.secret",
  ]);
});

test("the reference explains every setting once, under the heading of its table", () => {
  const reference = settingsReference();
  const headings = [...reference.matchAll(/^###? `(.*)`$/gm)].map((match) => match[1]);
  const keys = schemaKeys.flatMap(({ key, entry }) =>
    entry.kind === "setting" ? [key] : Object.keys(entry.entries).map((name) => `${key}.${name}`),
  );
  expect(headings.filter((each) => !each?.startsWith("[")).sort()).toEqual([...keys].sort());
  expect(headings.filter((each) => each?.startsWith("["))).toEqual([
    "[node]",
    "[tracker]",
    "[tracker.trunk]",
    "[storage]",
    "[[storage.path]]",
    "[storage.mirror]",
    "[storage.scrub]",
    "[storage.sync]",
    "[gateway]",
    "[gateway.anti_leech]",
    "[disks]",
  ]);
  expect(reference).toContain(
    [
      "### `storage.heart_beat_interval`",
      "",
      "How often each tracker is told that this storage is alive.",
      "",
      '* default `"10s"`; a duration from 1s to 1h with its unit (ms, s, m, h, d), such as "30s"; applies when the role starts again',
      "* environment `CAIRN_STORAGE_HEART_BEAT_INTERVAL`",
      "* FastDFS: storage.conf heart_beat_interval",
    ].join("\n"),
  );
  expect(reference).toContain("environment `CAIRN_GATEWAY_ANTI_LEECH_SECRET_FILE` (a file)");
});
