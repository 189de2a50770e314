import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { failureKind } from "#platform/databases.ts";

function failed(code: string): Error {
  return Object.assign(new Error("no"), { code });
}

test("a database whose content is wrong is damaged; whatever the system refuses leaves it well", () => {
  const damaged = ["SQLITE_CORRUPT", "SQLITE_CORRUPT_INDEX", "SQLITE_NOTADB", "SQLITE_ERROR"];
  const refused = ["SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_BUSY", "SQLITE_READONLY", "ENOENT"];
  expect(damaged.map((code) => failureKind(failed(code)))).toEqual(damaged.map(() => "damaged"));
  expect(refused.map((code) => failureKind(failed(code)))).toEqual(refused.map(() => "refused"));
  const cause = failed("SQLITE_CORRUPT");
  expect(failureKind(new AppError("migration-failed", "why", { cause }))).toBe("damaged");
  expect(failureKind("not even an error")).toBe("refused");
});
