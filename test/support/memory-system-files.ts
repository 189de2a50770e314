/** The kernel's files of a machine that a test describes: texts by path, symbolic links, and file systems that answer, fail or hang. */
import type { Space, SystemFiles } from "#platform/system-files.ts";

export interface MachineFiles {
  readonly files: Readonly<Record<string, string>>;
  /** From a path to the path that it stands for. */
  readonly links?: Readonly<Record<string, string>>;
}

export class MemorySystemFiles implements SystemFiles {
  readonly files = new Map<string, string>();
  readonly links = new Map<string, string>();
  /** By mount point; `hangs` never answers. */
  readonly spaces = new Map<string, Space | "hangs">();
  /** Paths whose later reading never ends. */
  readonly hanging = new Set<string>();
  /** Paths that were read, for tests that say what is left alone. */
  readonly read: string[] = [];
  readonly asked: string[] = [];

  constructor(...machines: readonly MachineFiles[]) {
    for (const { files, links = {} } of machines) {
      for (const [path, text] of Object.entries(files)) this.files.set(path, text);
      for (const [path, target] of Object.entries(links)) this.links.set(path, target);
    }
  }

  /** Everything at and below a path is gone, as when a disk is pulled. */
  remove(path: string): void {
    for (const map of [this.files, this.links]) {
      for (const each of [...map.keys()]) {
        if (each === path || each.startsWith(`${path}/`)) map.delete(each);
      }
    }
  }

  readText(path: string): string | undefined {
    this.read.push(path);
    return this.files.get(this.#real(path));
  }

  readTextLater(path: string): Promise<string | undefined> {
    if (this.hanging.has(path)) return new Promise(() => {});
    return Promise.resolve(this.readText(path));
  }

  list(path: string): readonly string[] {
    const real = this.#real(path);
    const names = new Set<string>();
    for (const base of new Set([path, real])) {
      for (const each of [...this.files.keys(), ...this.links.keys()]) {
        if (each.startsWith(`${base}/`)) names.add(each.slice(base.length + 1).split("/")[0] ?? "");
      }
    }
    return [...names].sort();
  }

  resolve(path: string): string | undefined {
    const real = this.#real(path);
    const exists = this.files.has(real) || this.list(real).length > 0;
    return exists ? real : undefined;
  }

  space(path: string): Promise<Space> {
    this.asked.push(path);
    const space = this.spaces.get(path);
    if (space === "hangs") return new Promise(() => {});
    if (space === undefined) return Promise.reject(new Error("ENOENT: no such file"));
    return Promise.resolve(space);
  }

  #real(path: string): string {
    let real = path;
    for (let rounds = 0; rounds < 10; rounds += 1) {
      const link = [...this.links.keys()].find(
        (each) => real === each || real.startsWith(`${each}/`),
      );
      if (link === undefined) break;
      real = (this.links.get(link) ?? "") + real.slice(link.length);
    }
    return real;
  }
}
