/** Where settings are found. */
import { expect, test } from "vitest";
import { hasCode } from "#base/app-error.ts";
import { loadConfigFiles } from "#daemon/config-files.ts";
import { ScriptedHost } from "../../support/scripted-host.ts";

function host(files: Readonly<Record<string, string>> = {}): ScriptedHost {
  const made = new ScriptedHost();
  for (const [path, text] of Object.entries(files)) made.files.set(path, text);
  return made;
}

function port(from: ScriptedHost, file?: string, settings: readonly string[] = []): number {
  return loadConfigFiles(from, { file, settings }).config.tracker.port;
}

const portOf = (value: number): string => `[tracker]\nport = ${value}\n`;

test("without a file everything is built in", () => {
  expect(port(host())).toBe(22122);
});

test("the file of the working directory comes before the system's", () => {
  const both = { "/work/cairn.toml": portOf(1001), "/etc/cairn/cairn.toml": portOf(1002) };
  expect(port(host(both))).toBe(1001);
  expect(port(host({ "/etc/cairn/cairn.toml": portOf(1002) }))).toBe(1002);
});

test("a named file is the one, from the working directory on, and must be there", () => {
  const files = { "/work/own.toml": portOf(1003), "/work/cairn.toml": portOf(1001) };
  expect(port(host(files), "own.toml")).toBe(1003);
  let failure: unknown;
  try {
    port(host(files), "/nowhere.toml");
  } catch (error) {
    failure = error;
  }
  expect(hasCode(failure, "config-missing")).toBe(true);
});

test("drop-ins win by their order, the environment over them, and the command line over all", () => {
  const made = host({
    "/work/cairn.toml": portOf(1001),
    "/work/conf.d/10.toml": portOf(1010),
    "/work/conf.d/20.toml": portOf(1020),
    "/work/conf.d/30.toml.old": portOf(1030),
  });
  expect(port(made)).toBe(1020);
  made.environment = { CAIRN_TRACKER_PORT: "1040" };
  expect(port(made)).toBe(1040);
  expect(port(made, undefined, ["tracker.port=1050"])).toBe(1050);
});

test("a secret is read from its file", () => {
  const made = host({
    "/work/cairn.toml": '[gateway.anti_leech]\ncheck = true\nsecret_file = "key"\n',
    "/work/key": "abc123\n",
  });
  const { config } = loadConfigFiles(made, { file: undefined, settings: [] });
  expect(config.gateway.antiLeech.secret).toBe("abc123");
});
