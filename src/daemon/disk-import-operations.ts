/** What the running node does when somebody wants the files of a foreign disk. */
import type { OperationHandlers } from "#control/control-bus.ts";
import { controlError } from "#control/errors.ts";
import type { diskImportOperations } from "#control/operations/disk-imports.ts";
import type { DiskImports } from "#daemon/disk-imports.ts";

export function diskImportHandlers(
  imports: () => Pick<DiskImports, "imports" | "disk" | "directory"> | undefined,
  ownGroup: () => string,
): OperationHandlers<typeof diskImportOperations> {
  const own = () => {
    const found = imports();
    if (found !== undefined) return found;
    throw controlError("input-invalid", "this node stores no files: node.roles has no storage");
  };
  return {
    importDisk: ({ disk, directory, group, storePath }) => {
      if ((disk === undefined) === (directory === undefined)) {
        throw controlError("input-invalid", "either a disk or a directory is to be imported");
      }
      if (disk !== undefined) return { id: own().disk(disk) };
      return { id: own().directory(directory ?? "", group ?? ownGroup(), storePath ?? 0) };
    },
    listImports: () => ({ imports: [...own().imports] }),
  };
}
