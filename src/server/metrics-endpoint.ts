import type { Express, Request, Response } from 'express';
import type { Registry } from 'prom-client';
import { endPlainTextApp, plainTextApp } from './plain-text.ts';

/** `/metrics` in Prometheus' text format. */
export function metricsApp(registry: Registry): Express {
  const app = plainTextApp();
  app.get('/metrics', async (_request: Request, response: Response) => {
    const text = await registry.metrics();
    response.status(200).set('Content-Type', registry.contentType).send(text);
  });
  return endPlainTextApp(app);
}
