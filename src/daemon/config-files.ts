/**
 * Finds the texts that settings come from and loads them: the file named on the command line or the usual ones, drop-ins
 * beside it, the environment, `--set` (field notes §6). Reads files; never writes one.
 */
import { posix } from "node:path";
import { AppError } from "#base/app-error.ts";
import type { ConfigSource } from "#config/config-sources.ts";
import { type LoadedConfig, loadConfig, secretFilesOf } from "#config/load-config.ts";
import type { Host } from "#platform/host.ts";

export interface ConfigRequest {
  /** The file of `--config`; it must exist. */
  readonly file: string | undefined;
  /** The values of `--set`. */
  readonly settings: readonly string[];
}

const systemFile = "/etc/cairn/cairn.toml";
const localName = "cairn.toml";

/** Throws `AppError("config-invalid")` with everything that is wrong, or `config-missing`. */
export function loadConfigFiles(host: Host, request: ConfigRequest): LoadedConfig {
  const directory = host.workingDirectory;
  const sources: ConfigSource[] = [
    ...fileSources(host, request.file),
    { kind: "environment", variables: withoutCommandLine(host.environment) },
    { kind: "command-line", settings: request.settings },
  ];
  const secretTexts = new Map<string, string>();
  for (const { path } of secretFilesOf(sources, { directory })) {
    const text = host.readText(path);
    if (text !== undefined) secretTexts.set(path, text);
  }
  return loadConfig(sources, { directory, secretTexts });
}

/** What the command line takes from the environment is no setting. */
function withoutCommandLine(variables: Host["environment"]): Host["environment"] {
  const {
    CAIRN_TRACKERS: _trackers,
    CAIRN_CONFIG: _config,
    CAIRN_SOCKET: _socket,
    ...rest
  } = variables;
  return rest;
}

function fileSources(host: Host, named: string | undefined): ConfigSource[] {
  const path = named === undefined ? usualFile(host) : posix.resolve(host.workingDirectory, named);
  if (path === undefined) return [];
  const text = host.readText(path);
  if (text === undefined) {
    throw new AppError("config-missing", `there is no settings file ${path}; check --config`);
  }
  const dropIns = posix.join(posix.dirname(path), "conf.d");
  const names = host.listDirectory(dropIns).filter((name) => name.endsWith(".toml"));
  return [path, ...names.map((name) => posix.join(dropIns, name))].flatMap((each) => {
    const content = each === path ? text : host.readText(each);
    if (content === undefined) return [];
    return [{ kind: "file", name: each, directory: posix.dirname(each), text: content } as const];
  });
}

function usualFile(host: Host): string | undefined {
  const local = posix.join(host.workingDirectory, localName);
  return [local, systemFile].find((path) => host.readText(path) !== undefined);
}
