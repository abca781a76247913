import { hasCode } from '../process/lock.ts';
import { type RunOptions, type RunResult, run } from '../process/run.ts';
import { platform } from './binaries.ts';

/** The Go that the pinned modules ask for. */
const neededGo = '1.26';

const howToGetGo = `Go ${neededGo} or newer is needed: install it from https://go.dev/dl/ (or your package manager) and try again`;

/**
 * Runs `go` for this machine's platform. A failing command is an error that ends in what to do.
 *
 * @param purpose what is being made, for the error
 * @throws Error when Go is missing or too old, the module proxy cannot be reached, or `go` fails
 */
export async function go(
  purpose: string,
  args: readonly string[],
  options: RunOptions & { cwd: string },
): Promise<RunResult> {
  const { os, arch } = platform();
  const environment = { GOOS: os, GOARCH: arch, GOWORK: 'off', CGO_ENABLED: '0' };
  const result = await run('go', args, { ...options, environment }).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) {
      throw new Error(`${purpose}: the go command is missing. ${howToGetGo}`);
    }
    throw error;
  });
  if (result.code !== 0) {
    throw new Error(`${purpose}: ${explain(result)}`);
  }
  return result;
}

function explain({ stdout, stderr, code }: RunResult): string {
  const output = `${stderr}\n${stdout}`.trim();
  const tail = output.split('\n').slice(-15).join('\n');
  if (/requires go >= |requires go1\.|unknown directive|invalid go version/.test(output)) {
    return `the installed Go is too old. ${howToGetGo}. Go said:\n${tail}`;
  }
  if (
    /dial tcp|no such host|i\/o timeout|connection refused|proxyconnect|TLS handshake/.test(output)
  ) {
    return `the Go module proxy cannot be reached: connect this machine, or set GOPROXY to a proxy it can reach (see "go help goproxy"). Go said:\n${tail}`;
  }
  const refused = /reading (\S+): (?:403|404|410) /.exec(output)?.[1];
  if (refused !== undefined) {
    return `the Go module proxy refuses ${refused}: ask who runs it, or set GOPROXY to a proxy that you may use (see "go help goproxy"). Go said:\n${tail}`;
  }
  return `go failed with exit code ${code}:\n${tail}`;
}
