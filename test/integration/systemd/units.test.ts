/** systemd reads the units as they were meant. Its own checker does that, on copies that name a program which exists. */
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { needs, program } from "../../support/needs.ts";

const units = fileURLToPath(new URL("../../../systemd", import.meta.url));
const timeout = 20_000;

function withFolder(use: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "cairn-units-"));
  try {
    use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const analyzed = needs(program("systemd-analyze", { apt: "systemd" }));

analyzed("the service has no setting that systemd refuses or ignores", () => {
  withFolder((folder) => {
    const unit = join(folder, "cairn.service");
    const text = readFileSync(join(units, "cairn.service"), "utf8");
    writeFileSync(unit, text.replace("/usr/bin/cairn", "/bin/sh"));
    const verify = () =>
      spawnSync("systemd-analyze", ["verify", unit], { encoding: "utf8", timeout });
    expect(verify()).toMatchObject({ status: 0, stderr: "" });
    writeFileSync(unit, `${text}\n[Service]\nNoNewPrivileges=perhaps\n`);
    expect(verify().stderr).toContain("perhaps");
  });
});

analyzed("the helper's units have no setting that systemd refuses or ignores", () => {
  withFolder((folder) => {
    for (const name of ["cairn-helper.socket", "cairn-helper.service"]) {
      const text = readFileSync(join(units, name), "utf8");
      writeFileSync(join(folder, name), text.replace("/usr/bin/cairn", "/bin/sh"));
    }
    const files = ["cairn-helper.socket", "cairn-helper.service"].map((name) => join(folder, name));
    const verify = spawnSync("systemd-analyze", ["verify", ...files], {
      encoding: "utf8",
      timeout,
    });
    expect(verify).toMatchObject({ status: 0, stderr: "" });
  });
});

/** Each of these gives a service mounts of its own, and what it mounts would be seen by nobody else. */
const ownMounts =
  /^(?:Protect(?:System|Home|KernelTunables|KernelModules|KernelLogs|ControlGroups|Proc)|Private(?:Tmp|Devices|Mounts|Users)|ReadWritePaths|ReadOnlyPaths|InaccessiblePaths|TemporaryFileSystem|Bind(?:ReadOnly)?Paths|RootDirectory|MountFlags|DynamicUser)=/m;

test("what the helper mounts is seen by everybody, and it is root in few things", () => {
  const text = readFileSync(join(units, "cairn-helper.service"), "utf8");
  expect(text).not.toMatch(ownMounts);
  expect(ownMounts.test(readFileSync(join(units, "cairn.service"), "utf8"))).toBe(true);
  const [, capabilities = ""] = /^CapabilityBoundingSet=(.*)$/m.exec(text) ?? [];
  expect(capabilities.split(" ")).toHaveLength(6);
  expect(text).toMatch(/^DevicePolicy=closed$/m);
  expect(text).toMatch(/^NoNewPrivileges=yes$/m);
});

analyzed("the helper stays at a middling exposure", () => {
  const unit = join(units, "cairn-helper.service");
  const args = ["security", "--offline=yes", "--threshold=60", "--no-pager", unit];
  expect(() => execFileSync("systemd-analyze", args, { timeout, stdio: "pipe" })).not.toThrow();
});

analyzed("the service stays at a low exposure", () => {
  const unit = join(units, "cairn.service");
  const args = ["security", "--offline=yes", "--threshold=25", "--no-pager", unit];
  expect(() => execFileSync("systemd-analyze", args, { timeout, stdio: "pipe" })).not.toThrow();
});

needs(program("systemd-sysusers", { apt: "systemd" }))("the user can be made", () => {
  withFolder((folder) => {
    const file = join(folder, "cairn.conf");
    copyFileSync(join(units, "sysusers.d/cairn.conf"), file);
    const result = spawnSync("systemd-sysusers", ["--dry-run", file], {
      encoding: "utf8",
      timeout,
    });
    expect(result.status).toBe(0);
    expect(`${result.stdout}${result.stderr}`).toContain("cairn");
  });
});
