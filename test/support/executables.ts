/** The built executables, as tests start them: this machine's own, and the arm64 one under an emulator. */
import { fileURLToPath } from "node:url";
import { file, type Need, program } from "./needs.ts";

export interface Executable {
  /** What must be there; for `needs(...)`. */
  readonly needs: readonly Need[];
  readonly command: string;
  /** Arguments that come before the program's own. */
  readonly args: readonly string[];
  /** To be added to the environment. */
  readonly env: Readonly<Record<string, string>>;
}

const arm64Libraries = "/usr/aarch64-linux-gnu";
const arm64Packages = "libc6-arm64-cross libstdc++6-arm64-cross libatomic1-arm64-cross";

/** `dist/cairn-linux-…` of the machine that runs the tests. */
export function nativeExecutable(): Executable {
  const path = executablePath(process.arch);
  return { needs: [file(path, "npm run build")], command: path, args: [], env: {} };
}

export const emulatedExecutablePath = executablePath("arm64");

/** `dist/cairn-linux-arm64` under qemu-user. */
export function emulatedExecutable(): Executable {
  const path = emulatedExecutablePath;
  return {
    needs: [
      file(path, "npm run build"),
      program("qemu-aarch64-static", { apt: "qemu-user-static" }),
      file(`${arm64Libraries}/lib/libatomic.so.1`, `apt-get install ${arm64Packages}`),
    ],
    command: "qemu-aarch64-static",
    args: [path],
    env: { QEMU_LD_PREFIX: arm64Libraries },
  };
}

function executablePath(arch: string): string {
  return fileURLToPath(new URL(`../../dist/cairn-linux-${arch}`, import.meta.url));
}
