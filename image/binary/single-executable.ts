/** Node, the bundled scripts and SQLite's addon in one file that needs glibc, libstdc++ and libatomic, and nothing else. */
import { chmodSync, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sqliteAsset } from "#platform/node/native-addons.ts";
import { dist, root, work } from "../paths.ts";
import { runCommand } from "../run-command.ts";
import { runtimeFlags } from "../runtime-flags.ts";
import type { Bundle } from "./bundle.ts";
import { nodeBinary } from "./node-binary.ts";
import type { Target } from "./targets.ts";

/** Writes `dist/cairn-linux-<arch>` and returns its path. The Node that runs the build must be of the version that is built in. */
export function buildExecutable(target: Target, bundle: Bundle): string {
  const output = join(dist, `cairn-linux-${target.arch}`);
  const folder = join(work, `executable-${target.arch}`);
  mkdirSync(folder, { recursive: true });
  mkdirSync(dist, { recursive: true });
  const part = join(folder, "cairn");
  const config = join(folder, "sea.json");
  const addon = join(root, "node_modules/better-sqlite3", target.sqliteAddon);
  const settings = {
    main: bundle.main,
    mainFormat: "commonjs",
    executable: nodeBinary(target),
    output: part,
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    useCodeCache: false,
    execArgv: runtimeFlags,
    // Whoever sets the environment of an appliance does not get to load code into it.
    execArgvExtension: "none",
    assets: { ...bundle.workers, [sqliteAsset]: addon },
  };
  writeFileSync(config, JSON.stringify(settings, undefined, 2));
  runCommand(process.execPath, ["--build-sea", config], { cwd: folder });
  chmodSync(part, 0o755);
  renameSync(part, output);
  forgetCachedPages(output);
  console.log(`${output} ${(statSync(output).size / 1e6).toFixed(1)} MB`);
  return output;
}

/**
 * A file that was just written lies in memory in large pieces, which the kernel maps whole: 38 MB more resident than after a
 * boot. Forgetting them makes what is measured after a build what users see.
 */
function forgetCachedPages(path: string): void {
  const args = [`of=${path}`, "oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none"];
  runCommand("dd", args, { cwd: dist });
}
