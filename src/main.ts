/**
 * The process. Turns Node's compile cache on, so that a start from the sources need not strip the types of every file anew,
 * then loads and runs the program. (The single executable has one compiled file and no use for it.)
 */
import { enableCompileCache } from "node:module";

enableCompileCache();
import("#program.ts")
  .then(({ runProgram }) => runProgram())
  .then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      process.stderr.write(`cairn: ${error instanceof Error ? error.stack : String(error)}\n`);
      process.exitCode = 70;
    },
  );
