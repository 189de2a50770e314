/** What the helper is started with. Only who starts it decides these, never who talks to it. Pure. */
import { posix } from "node:path";
import { AppError } from "#base/app-error.ts";
import type { HelperSettings } from "#helper/helper-world.ts";

export interface HelperOptions {
  readonly mountDirectory: string;
  readonly stateDirectory: string;
  /** A user's name, or `UID:GID`; undefined leaves disks to root. */
  readonly owner: string | undefined;
}

/** `passwd`: the text of `/etc/passwd`. Throws `usage`. */
export function helperSettings(options: HelperOptions, passwd: string): HelperSettings {
  const { owner } = options;
  return {
    mountDirectory: absolute(options.mountDirectory, "--mount-directory"),
    stateDirectory: absolute(options.stateDirectory, "--state-directory"),
    owner: owner === undefined ? undefined : ownerOf(owner, passwd),
  };
}

function absolute(path: string, option: string): string {
  if (posix.isAbsolute(path) && posix.normalize(path) === path && path !== "/") return path;
  throw new AppError("usage", `${option} must be an absolute path in its simplest form`);
}

function ownerOf(text: string, passwd: string): { user: number; group: number } {
  const numbers = /^(\d{1,10}):(\d{1,10})$/.exec(text);
  if (numbers !== null) return { user: Number(numbers[1]), group: Number(numbers[2]) };
  for (const line of passwd.split("\n")) {
    const [name, , user, group] = line.split(":");
    if (name === text) return { user: Number(user), group: Number(group) };
  }
  throw new AppError("usage", `--owner: there is no user ${text} here`);
}

/** Where systemd's first socket is, by its environment; undefined where it passed none to this process. */
export function inheritedSocket(
  environment: Readonly<Record<string, string | undefined>>,
  processId: number,
): number | undefined {
  const isOurs = environment.LISTEN_PID === String(processId);
  return isOurs && environment.LISTEN_FDS === "1" ? firstInherited : undefined;
}

const firstInherited = 3;
