/** Copies the system files of another tracker, C's or ours (commands 61 to 63, protocol §2.5). */
import { AppError } from "#base/app-error.ts";
import type { FrameClient } from "#net/frame-client.ts";
import {
  getOneSysFile,
  getSysFilesEnd,
  getSysFilesStart,
} from "#protocol/fastdfs/tracker-cluster.ts";
import { maxSystemFileBytes } from "#tracker/limits.ts";
import { type ImportedTracker, importSystemFiles } from "#tracker/system-files-import.ts";

/** Rejects where the other one refuses, is silent, or gives more than `maxSystemFileBytes` of one file. */
export async function copySystemFiles(client: FrameClient): Promise<ImportedTracker> {
  await client.call(getSysFilesStart, undefined);
  const texts: string[] = [];
  for (let index = 0; index < 4; index += 1) {
    texts.push((await wholeSystemFile(client, index, maxSystemFileBytes)).toString("latin1"));
  }
  await client.call(getSysFilesEnd, undefined);
  const [groups = "", storages = "", syncTimes = "", changelog = ""] = texts;
  return importSystemFiles({ groups, storages, syncTimes, changelog, status: "" });
}

/** One file as it is now; whoever wants several that fit together has them held still before. */
export async function wholeSystemFile(
  client: FrameClient,
  fileIndex: number,
  maxBytes: number,
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (;;) {
    const { fileSize, content } = await client.call(getOneSysFile, { fileIndex, offset });
    parts.push(content);
    offset += content.length;
    if (fileSize > maxBytes) {
      throw new AppError(
        "system-file-too-long",
        `system file ${fileIndex} of the other tracker has ${fileSize} bytes; at most ${maxBytes} are read`,
      );
    }
    if (offset >= fileSize || content.length === 0) return Buffer.concat(parts);
  }
}
