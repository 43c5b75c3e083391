/**
 * Reads the routes out of an OpenAPI document: [{method, path, says, fields: [{name, type, required, says}]}]; knows no page.
 */
export function routesOf(document) {
  return Object.entries(document.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, route]) => ({
    method: method.toUpperCase(),
    path,
    says: route.description ?? null,
    fields: fieldsOf(route, document),
  })));
}

function fieldsOf(route, document) {
  const schema = route.requestBody?.content?.['application/json']?.schema;
  if (!schema) return [];
  const whole = resolved(schema, schema, document);
  return Object.entries(whole.properties ?? {}).map(([name, field]) => ({
    name,
    type: typeOf(field, schema, document),
    required: whole.required?.includes(name) ?? false,
    says: field.description ?? null,
  }));
}

/** References point into the document or, for schemas that came whole, into themselves. */
function resolved(schema, root, document) {
  if (!schema.$ref) return schema;
  const steps = schema.$ref.slice(2).split('/');
  const within = (from) => steps.reduce((found, step) => found?.[step], from);
  return within(root) ?? within(document) ?? {};
}

function typeOf(field, root, document) {
  const one = resolved(field, root, document);
  if (one.enum) return one.enum.join(' | ');
  if (one.const !== undefined) return String(one.const);
  const several = one.anyOf ?? one.oneOf;
  if (several) return [...new Set(several.map((each) => typeOf(each, root, document)))].join(' | ');
  if (one.type === 'array') return `list of ${typeOf(one.items ?? {}, root, document)}`;
  return one.type ?? one.title ?? 'any';
}
