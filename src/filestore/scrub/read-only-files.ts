/** Files of a disk that is not ours to change: whatever would write fails with EROFS before it reaches the system. Pure. */
import { FileError, type Files } from "#platform/files.ts";

const changing = [
  ...(["write", "truncate", "flush", "flushDirectory", "setModified", "rename", "remove"] as const),
  ...(["removeDirectory", "makeDirectory", "makeLink", "makeHardLink", "expand", "claim"] as const),
] as const satisfies readonly (keyof Files)[];

export function readOnlyFiles(files: Files): Files {
  const guarded = Object.create(files) as Files;
  for (const name of changing) {
    const refuse = (): never => {
      throw new FileError("EROFS", `EROFS: this disk is only read (${name})`);
    };
    Object.defineProperty(guarded, name, { value: refuse });
  }
  const open: Files["open"] = (path, mode) => {
    if (mode === "read") return files.open(path, mode);
    throw new FileError("EROFS", `EROFS: this disk is only read: ${path}`, path);
  };
  // The others read, with the object that they belong to.
  for (const name of ["close", "read", "readOnce", "stat", "statDescriptor", "list"] as const) {
    Object.defineProperty(guarded, name, { value: files[name].bind(files) });
  }
  for (const name of ["readLink", "space", "isRotational"] as const) {
    Object.defineProperty(guarded, name, { value: files[name].bind(files) });
  }
  Object.defineProperty(guarded, "open", { value: open });
  return guarded;
}
