import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import type { ConfigSource } from "#config/config-sources.ts";
import {
  type LoadedConfig,
  type LoadOptions,
  loadConfig,
  secretFilesOf,
} from "#config/load-config.ts";
import { schemaKeys } from "#config/schema.ts";

const options: LoadOptions = { directory: "/work" };

function file(name: string, text: string): ConfigSource {
  return { kind: "file", name, directory: "/etc/cairn", text };
}

function failure(
  sources: readonly ConfigSource[],
  more: Partial<LoadOptions> = {},
): readonly string[] {
  try {
    loadConfig(sources, { ...options, ...more });
  } catch (error) {
    if (error instanceof AppError && error.code === "config-invalid")
      return error.message.split("\n");
    throw error;
  }
  return [];
}

function origin({ origins }: LoadedConfig, key: string): unknown {
  return origins.get(key);
}

test("without any source everything is built in, and absolute", () => {
  const { config, origins, warnings } = loadConfig([], options);
  expect(config.node).toMatchObject({
    dataDir: "/work/data",
    controlSocket: "/work/data/cairn.sock",
  });
  expect(config.storage.paths).toEqual([
    { directory: "/work/data/store0", readonly: false, takeOver: false },
  ]);
  expect([...origins.keys()]).toEqual(schemaKeys.map(({ key }) => key));
  expect(new Set([...origins.values()].map((each) => each.source))).toEqual(new Set(["built-in"]));
  expect(warnings).toEqual([]);
});

test("a later source wins, key by key, and each value knows its origin", () => {
  const loaded = loadConfig(
    [
      file(
        "cairn.toml",
        '[storage]\nport = 1\ngroup = "a"\n[node]\nname = "f"\n[tracker]\nport = 9',
      ),
      file("conf.d/10.toml", '[storage]\nport = 2\ngroup = "b"'),
      { kind: "environment", variables: { CAIRN_STORAGE_PORT: "3", CAIRN_GATEWAY_PORT: "8" } },
      { kind: "command-line", settings: ["storage.port=4", "storage.port=5"] },
    ],
    options,
  );
  const { node, tracker, storage, gateway } = loaded.config;
  expect([node.name, tracker.port, storage.port, storage.group, gateway.port]).toEqual([
    "f",
    9,
    5,
    "b",
    8,
  ]);
  expect(origin(loaded, "storage.port")).toEqual({ source: "command line", line: undefined });
  expect(origin(loaded, "storage.group")).toEqual({ source: "conf.d/10.toml", line: 3 });
  expect(origin(loaded, "node.name")).toEqual({ source: "cairn.toml", line: 5 });
  expect(origin(loaded, "gateway.port")).toEqual({
    source: "environment CAIRN_GATEWAY_PORT",
    line: undefined,
  });
  expect(origin(loaded, "gateway.upload")).toEqual({ source: "built-in", line: undefined });
});

test("a later list replaces an earlier one as a whole", () => {
  const { config } = loadConfig(
    [
      file("a", '[[storage.path]]\ndirectory="/a"\n[[storage.path]]\ndirectory="/b"'),
      file("b", '[[storage.path]]\ndirectory="/c"'),
    ],
    options,
  );
  expect(config.storage.paths).toEqual([{ directory: "/c", readonly: false, takeOver: false }]);
});

test("what is wrong in any source is reported, even where a later one overrides it", () => {
  const sources: readonly ConfigSource[] = [
    file("a.toml", "[storage]\nport = -1\nx_y_z = 1"),
    file("b.toml", "not toml"),
    { kind: "command-line", settings: ["storage.port=5", "node.log_level=loud"] },
  ];
  expect(failure(sources).map((each) => each.split(": ").slice(0, 2).join(": "))).toEqual([
    "a.toml:2: storage.port",
    "a.toml:3: storage.x_y_z",
    "b.toml:1: not TOML",
    "command line: node.log_level",
  ]);
});

test("the error carries its problems as data", () => {
  expect.assertions(1);
  try {
    loadConfig([file("a.toml", "[storage]\nport = -1")], options);
  } catch (error) {
    expect((error as AppError).details).toEqual({
      problems: [
        { source: "a.toml", line: 2, key: "storage.port", message: expect.stringContaining("-1") },
      ],
    });
  }
});

test("the configuration is frozen to its leaves", () => {
  const { config } = loadConfig([file("a", '[node]\nallow_hosts = ["10.0.1.[1-2]"]')], options);
  const isFrozen = (value: unknown): boolean =>
    typeof value !== "object" ||
    value === null ||
    (Object.isFrozen(value) && Object.values(value).every(isFrozen));
  expect(isFrozen(config)).toBe(true);
});

test("combinations that cannot work are reported where the value was given", () => {
  const sources = [file("a.toml", '[tracker]\nstore_lookup = "group"\n[storage]\n\nport = 22122')];
  expect(failure(sources)).toEqual([
    "a.toml:5: storage.port: 22122 is the port of tracker.port already",
    'built-in: tracker.store_group: missing; tracker.store_lookup is "group" and needs the name of one',
  ]);
});

const secretFile = '[gateway.anti_leech]\nsecret_file = "leech"';

test("a secret comes from the text of its file, without the line end", () => {
  const sources = [file("a.toml", secretFile)];
  expect(secretFilesOf(sources, options)).toEqual([
    { key: "gateway.anti_leech.secret", path: "/etc/cairn/leech" },
  ]);
  const loaded = loadConfig(sources, {
    ...options,
    secretTexts: new Map([["/etc/cairn/leech", "hunter2\r\n"]]),
  });
  expect(loaded.config.gateway.antiLeech.secret).toBe("hunter2");
  expect(origin(loaded, "gateway.anti_leech.secret")).toEqual({
    source: "/etc/cairn/leech",
    line: undefined,
  });
});

test("the environment can name the file of a secret", () => {
  const sources: readonly ConfigSource[] = [
    file("a.toml", '[gateway.anti_leech]\nsecret = "old"'),
    { kind: "environment", variables: { CAIRN_GATEWAY_ANTI_LEECH_SECRET_FILE: "/run/s" } },
  ];
  expect(secretFilesOf(sources, options)).toEqual([
    { key: "gateway.anti_leech.secret", path: "/run/s" },
  ]);
  const { config } = loadConfig(sources, { ...options, secretTexts: new Map([["/run/s", "new"]]) });
  expect(config.gateway.antiLeech.secret).toBe("new");
});

test("a secret that a later source gives itself needs no file", () => {
  const sources = [
    file("a.toml", secretFile),
    file("b.toml", '[gateway.anti_leech]\nsecret = "inline"'),
  ];
  expect(secretFilesOf(sources, options)).toEqual([]);
  expect(loadConfig(sources, options).config.gateway.antiLeech.secret).toBe("inline");
});

test("a secret file that is missing, empty or beside a secret is an error", () => {
  const sources = [file("a.toml", secretFile)];
  const text = (written: string): Partial<LoadOptions> => ({
    secretTexts: new Map([["/etc/cairn/leech", written]]),
  });
  const key = "a.toml:2: gateway.anti_leech.secret_file";
  expect(failure(sources)).toEqual([`${key}: the file /etc/cairn/leech cannot be read`]);
  for (const wrong of ["", "\n", "a\nb", "x".repeat(129)]) {
    expect(failure(sources, text(wrong))).toEqual([
      `${key}: the text of /etc/cairn/leech is not allowed as a secret`,
    ]);
  }
  expect(failure([file("a.toml", `${secretFile}\nsecret = "x"`)], text("y"))).toEqual([
    `${key}: gateway.anti_leech.secret is given as well; write only one of the two`,
  ]);
});

test("asking for secret files never fails, whatever is wrong in the sources", () => {
  expect(
    secretFilesOf([file("a", "["), file("b", "[gateway.anti_leech]\nsecret_file = 5")], options),
  ).toEqual([]);
});
