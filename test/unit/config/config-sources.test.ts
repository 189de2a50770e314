import { expect, test } from "vitest";
import {
  type ConfigSource,
  environmentVariable,
  maxFileLength,
  readSource,
} from "#config/config-sources.ts";
import { formatProblem } from "#config/errors.ts";

function file(text: string): ConfigSource {
  return { kind: "file", name: "cairn.toml", directory: "/etc/cairn", text };
}

function environment(variables: Readonly<Record<string, string | undefined>>): ConfigSource {
  return { kind: "environment", variables };
}

function problems(source: ConfigSource): readonly string[] {
  return readSource(source, "/work").problems.map(formatProblem);
}

function values(source: ConfigSource): Readonly<Record<string, unknown>> {
  const reading = readSource(source, "/work");
  expect(reading.problems).toEqual([]);
  return Object.fromEntries(reading.assignments.map(({ key, value }) => [key, value]));
}

test("a file gives values with the line that they stand in", () => {
  const { assignments } = readSource(
    file("# mine\n[storage]\nport = 1\n\n[tracker.trunk]\nfile_size = '4MiB'\n"),
    "/work",
  );
  expect(assignments).toEqual([
    { key: "storage.port", value: 1, origin: { source: "cairn.toml", line: 3 } },
    { key: "tracker.trunk.file_size", value: 4_194_304, origin: { source: "cairn.toml", line: 6 } },
  ]);
});

test("dotted and quoted keys, inline tables and lists of tables are the same settings", () => {
  expect(values(file('storage.port = 1\n"gateway" = { anti_leech = { check = true } }\n'))).toEqual(
    {
      "storage.port": 1,
      "gateway.anti_leech.check": true,
    },
  );
  const paths = [
    { directory: "/a", readonly: false, takeOver: false },
    { directory: "/b", readonly: true, takeOver: false },
  ];
  const listed =
    '[[storage.path]]\ndirectory="/a"\n[[storage.path]]\ndirectory="/b"\nreadonly=true';
  const inline = 'storage.path = [{directory="/a"}, {directory="/b",readonly=true}]';
  expect(values(file(listed))).toEqual({ "storage.path": paths });
  expect(values(file(inline))).toEqual({ "storage.path": paths });
});

test("relative paths start from the file's directory, elsewhere from the working directory", () => {
  expect(
    values(
      file('[node]\ndata_dir = "../d"\ncontrol_socket = ""\n[[storage.path]]\ndirectory = "s"'),
    ),
  ).toEqual({
    "node.data_dir": "/etc/d",
    "node.control_socket": "",
    "storage.path": [{ directory: "/etc/cairn/s", readonly: false, takeOver: false }],
  });
  expect(values(environment({ CAIRN_NODE_DATA_DIR: "d" }))).toEqual({ "node.data_dir": "/work/d" });
  expect(values({ kind: "command-line", settings: ["node.data_dir=/d"] })).toEqual({
    "node.data_dir": "/d",
  });
});

test("everything that is wrong in a file is reported, each with its line and key", () => {
  const text = [
    "[storage]",
    "prot = 5",
    "port = 70000",
    "trackers = [",
    '  "10.0.0.1",',
    "  5,",
    "]",
    "mode = 2020-01-01",
    "[[storage.path]]",
    'directory = "/a"',
    'readonly = "yes"',
    "size = 1",
    "[[storage.path]]",
    "[tracker]",
    "trunk = 1",
    "[gateway.anti_leech]",
    'secret = "a\\nb"',
  ].join("\n");
  expect(problems(file(text))).toEqual([
    "cairn.toml:2: storage.prot: no such setting; did you mean storage.port?",
    "cairn.toml:3: storage.port: 70000 is not allowed; allowed is a whole number from 0 to 65535",
    'cairn.toml:6: storage.trackers[1]: 5 is not allowed; allowed is "host:port", "host1,host2:port" or "[2001:db8::1]:port" (without port it is 22122)',
    'cairn.toml:8: storage.mode: a date or time without quotation marks is not allowed; allowed is one of "both", "read", "write", "none"',
    "cairn.toml:12: storage.path[0].size: no such setting",
    'cairn.toml:11: storage.path[0].readonly: "yes" is not allowed; allowed is true or false',
    "cairn.toml:13: storage.path[1].directory: missing; give a path",
    "cairn.toml:15: tracker.trunk: 1 is not allowed; it is a table: [tracker.trunk]",
    "cairn.toml:17: gateway.anti_leech.secret: not allowed; allowed is text of at most 128 characters",
  ]);
});

test("what is no list of tables is refused, and so is a list that is too long", () => {
  expect(problems(file("[storage]\npath = 5"))).toEqual([
    "cairn.toml:2: storage.path: 5 is not allowed; it is a list of at most 256 tables: [[storage.path]]",
  ]);
  expect(problems(file("[storage]\npath = [\n5]"))).toEqual([
    "cairn.toml:3: storage.path[0]: 5 is not allowed; it is a table",
  ]);
  expect(problems(file('[[storage.path]]\ndirectory="/x"\n'.repeat(257)))[0]).toContain(
    "257 tables is not allowed",
  );
});

test("a file that is no TOML is reported with the line of the mistake", () => {
  expect(problems(file("[storage]\nport = \n"))).toEqual([
    expect.stringMatching(/^cairn\.toml:2: not TOML: \w/),
  ]);
  expect(problems(file("[storage]\nport = 1\nport = 2\n"))).toEqual([
    expect.stringMatching(/^cairn\.toml:\d: not TOML: /),
  ]);
  expect(problems(file("a = [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]"))).toEqual([
    expect.stringContaining("not TOML"),
  ]);
});

test("a file that cannot be settings is not even parsed", () => {
  expect(problems(file("#".repeat(maxFileLength + 1)))).toEqual([
    expect.stringContaining("at most 262144"),
  ]);
});

test("names that every object has are no settings", () => {
  expect(
    problems(
      file("constructor = 1\n[storage]\ntoString = 1\n__proto__ = 2\n[__proto__]\nx = 1"),
    ).map((each) => each.split(";")[0]),
  ).toEqual([
    "cairn.toml:1: constructor: no such setting",
    "cairn.toml:3: storage.toString: no such setting",
    "cairn.toml:4: storage.__proto__: no such setting",
    "cairn.toml:5: __proto__: no such setting",
  ]);
});

test("a byte order mark and CRLF do no harm", () => {
  expect(values(file("\uFEFF[storage]\r\nport = 1\r\n"))).toEqual({ "storage.port": 1 });
});

test("environment variables are named after table and key", () => {
  expect(
    ["storage.port", "tracker.trunk.file_size", "gateway.anti_leech.secret_file"].map(
      environmentVariable,
    ),
  ).toEqual([
    "CAIRN_STORAGE_PORT",
    "CAIRN_TRACKER_TRUNK_FILE_SIZE",
    "CAIRN_GATEWAY_ANTI_LEECH_SECRET_FILE",
  ]);
});

test("plain text from the environment becomes what the setting wants", () => {
  const variables = {
    CAIRN_STORAGE_PORT: "24000",
    CAIRN_GATEWAY_UPLOAD: "off",
    CAIRN_NODE_ROLES: "storage, gateway",
    CAIRN_NODE_STOP_TIMEOUT: "5s",
    CAIRN_STORAGE_PATH: "/a,b",
    CAIRN_TRACKER_RESERVED_SPACE: "5%",
    CAIRN_NODE_NAME: "",
    PATH: "/bin",
  };
  expect(values(environment(variables))).toEqual({
    "storage.port": 24000,
    "gateway.upload": false,
    "node.roles": ["storage", "gateway"],
    "node.stop_timeout": 5000,
    "storage.path": [
      { directory: "/a", readonly: false, takeOver: false },
      { directory: "/work/b", readonly: false, takeOver: false },
    ],
    "tracker.reserved_space": { kind: "percent", percent: 5 },
  });
});

test("a list of tables may be given as TOML", () => {
  expect(
    values({ kind: "command-line", settings: ['storage.path=[{directory="/a",readonly=true}]'] }),
  ).toEqual({
    "storage.path": [{ directory: "/a", readonly: true, takeOver: false }],
  });
});

test("an unknown variable is a warning, a wrong value is an error", () => {
  const reading = readSource(
    environment({ CAIRN_FOO: "1", CAIRN_STORAGE_PORT: "tcp://10.0.0.1:23000" }),
    "/",
  );
  expect(reading.warnings.map(formatProblem)).toEqual([
    "environment CAIRN_FOO: no setting has this name; it was ignored",
  ]);
  expect(reading.problems.map(formatProblem)).toEqual([
    'environment CAIRN_STORAGE_PORT: storage.port: "tcp://10.0.0.1:23000" is not allowed; allowed is a whole number from 0 to 65535',
  ]);
});

test("a secret is not taken where others can read it, and not repeated in the message", () => {
  const both = [
    ...problems(environment({ CAIRN_GATEWAY_ANTI_LEECH_SECRET: "hunter2" })),
    ...problems({ kind: "command-line", settings: ["gateway.anti_leech.secret=hunter2"] }),
  ];
  expect(both).toEqual([
    expect.stringContaining("name a file in gateway.anti_leech.secret_file"),
    expect.stringContaining("name a file in gateway.anti_leech.secret_file"),
  ]);
  expect(both.join()).not.toContain("hunter2");
});

test("--set wants a known key and a value, which may hold equals signs", () => {
  expect(
    problems({ kind: "command-line", settings: ["storage.port", "storage.prot=1", "node.name="] }),
  ).toEqual([
    "command line: storage.port: no value; write --set section.key=value",
    "command line: storage.prot: no such setting; did you mean storage.port?",
  ]);
  expect(values({ kind: "command-line", settings: ["node.name=a=b"] })).toEqual({
    "node.name": "a=b",
  });
});
