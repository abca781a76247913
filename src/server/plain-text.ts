import express, { type Express, type NextFunction, type Request, type Response } from 'express';

/** An express app without the traces of one: no banner, no ETag, nothing kept by caches. */
export function plainTextApp(): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('strict routing');
  app.enable('case sensitive routing');
  app.use((_request, response, next) => {
    response.set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' });
    next();
  });
  return app;
}

/**
 * Ends an app: whatever no route took is refused, and an error is answered without telling its
 * stack, which express would do on its own. Call it after the routes.
 */
export function endPlainTextApp(app: Express): Express {
  app.use((request, response) => {
    if (request.method === 'GET' || request.method === 'HEAD') {
      sendText(response, 404, 'not found\n');
      return;
    }
    response.set('Allow', 'GET, HEAD');
    sendText(response, 405, 'only GET and HEAD are served here\n');
  });
  // Express knows an error handler by its four parameters.
  app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) next(error);
    else sendText(response, isClientError(error) ? 400 : 500, 'the request failed\n');
  });
  return app;
}

/** Sends text as UTF-8. */
export function sendText(response: Response, status: number, text: string): void {
  response.status(status).type('text/plain; charset=utf-8').send(text);
}

/** A path that cannot be decoded is the client's fault. */
function isClientError(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('status' in error)) return false;
  return typeof error.status === 'number' && error.status >= 400 && error.status < 500;
}
