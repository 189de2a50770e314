/** Any PC, and whatever board is not known: the controller's own numbers, which many mainboards print beside the sockets. */
import type { Board } from "#disks/boards/board.ts";

export const pc: Board = {
  id: "pc",
  name: "PC",
  compatible: [],
  bays: [],
};
