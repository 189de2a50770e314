/** What a person reads when a role cannot listen. */
import { expect, test } from "vitest";
import { hasCode } from "#base/app-error.ts";
import { explainListenFailure } from "#daemon/listen-failure.ts";
import { exitCodeOf } from "#daemon/shutdown.ts";

function systemError(code: string, where: { readonly address: string; readonly port?: number }) {
  return Object.assign(new Error(`listen ${code}`), { code, syscall: "listen", ...where });
}

function explained(part: "tracker" | "gateway" | "control", error: Error): string {
  const failure = explainListenFailure(part, error);
  return hasCode(failure, "listen-failed") ? failure.message : "not explained";
}

test("a port in use is named with its role, its address and the setting to change", () => {
  const error = systemError("EADDRINUSE", { address: "0.0.0.0", port: 22122 });
  expect(explained("tracker", error)).toBe(
    "the tracker cannot listen on 0.0.0.0:22122: another program does already; end it (ss -ltnp 'sport = :22122' shows it), or set tracker.port",
  );
  expect(exitCodeOf(explainListenFailure("tracker", error))).toBe(69);
});

test("a port that the user may not have, and an address that is not ours, say which setting", () => {
  const low = systemError("EACCES", { address: "::", port: 80 });
  expect(explained("gateway", low)).toMatch(
    /^the gateway cannot listen on \[::\]:80: .*gateway\.port/,
  );
  expect(exitCodeOf(explainListenFailure("gateway", low))).toBe(77);
  const foreign = systemError("EADDRNOTAVAIL", { address: "10.9.9.9", port: 8080 });
  expect(explained("gateway", foreign)).toContain("set node.bind");
  expect(exitCodeOf(explainListenFailure("gateway", foreign))).toBe(78);
});

test("a control socket has a path, and no port", () => {
  const taken = systemError("EADDRINUSE", { address: "/run/cairn.sock" });
  expect(explained("control", taken)).toMatch(
    /^the control socket cannot listen on \/run\/cairn\.sock: a node that runs already/,
  );
});

test("other errors stay as they are", () => {
  const error = new Error("disk full");
  expect(explainListenFailure("storage", error)).toBe(error);
});
