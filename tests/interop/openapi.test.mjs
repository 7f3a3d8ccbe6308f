// The OpenAPI document of the real program, before a validator that others have written.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { makePlace } from '../lib/server.mjs';

test('/openapi.json is a valid OpenAPI 3.1 document', async () => {
  const place = await makePlace();
  try {
    const server = await place.start();
    const response = await fetch(`${server.issuer}/openapi.json`);
    const document = await response.json();
    const validator = new Validator();
    const { valid, errors } = await validator.validate(structuredClone(document));
    assert.ok(valid, JSON.stringify(errors, null, 2));
    assert.equal(validator.version, '3.1');
    const names = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
    assert.deepEqual(names.filter((name) => !document.components.schemas[name]), [], 'every reference leads somewhere');
    // It sees what is wrong, too.
    delete document.info;
    assert.equal((await new Validator().validate(document)).valid, false);
  } finally {
    await place.end();
  }
});
