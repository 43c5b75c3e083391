import assert from 'node:assert/strict';
import { test } from 'node:test';

import { routesOf } from '../../medserver/static/js/openapi.js';

const schema = {
  $defs: { Kind: { enum: ['a', 'b'], type: 'string' } },
  properties: {
    messages: { type: 'array', items: { $ref: '#/$defs/Kind' }, description: 'What was said.' },
    seed: { anyOf: [{ type: 'integer' }, { type: 'null' }] },
  },
  required: ['messages'],
};

test('routes and their fields are read, with references into the schema itself', () => {
  const document = {
    paths: { '/api/chat': { post: { description: 'Ask.', requestBody: { content: { 'application/json': { schema } } } } }, '/api/health': { get: {} } },
  };
  assert.deepEqual(routesOf(document), [
    {
      method: 'POST', path: '/api/chat', says: 'Ask.', fields: [
        { name: 'messages', type: 'list of a | b', required: true, says: 'What was said.' },
        { name: 'seed', type: 'integer | null', required: false, says: null },
      ],
    },
    { method: 'GET', path: '/api/health', says: null, fields: [] },
  ]);
});

test('references into the document are read too', () => {
  const document = {
    components: { schemas: { Ask: { properties: { n: { type: 'integer' } } } } },
    paths: { '/x': { post: { requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Ask' } } } } } } },
  };
  assert.deepEqual(routesOf(document)[0].fields, [{ name: 'n', type: 'integer', required: false, says: null }]);
});
