import { TerminalError } from '../core/errors.ts';

/**
 * Why a request with a Secret in it does not follow a redirect; undefined when it may. The default
 * ports of http and https are no part of a URL's host, so that the host alone does not tell whether the
 * Secret would be sent unencrypted. The message does not name the target, in which the server may have
 * hidden the Secret.
 */
export function secretRefusal(url: URL, target: URL): TerminalError | undefined {
  if (target.host !== url.host) {
    return new TerminalError(
      `${url.host} redirects to another host or port, and the request has a Secret in it, which is ` +
        'not sent there: give the final URL',
    );
  }
  if (url.protocol !== 'https:' || target.protocol === 'https:') return undefined;
  return new TerminalError(
    `${url.host} redirects from https to http, and the request has a Secret in it, which is not sent ` +
      'unencrypted: let the server redirect to https',
  );
}
