import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlockCutter } from '../../medserver/static/js/markdown/blocks.js';
import { decodeEntities } from '../../medserver/static/js/markdown/entities.js';
import { MarkdownFlow } from '../../medserver/static/js/markdown/flow.js';
import { safeAddress } from '../../medserver/static/js/markdown/render.js';
import { fakeDocument, walk } from './fake_document.js';

function rendered(...growing) {
  const container = fakeDocument.createElement('div');
  const flow = new MarkdownFlow(container, fakeDocument);
  growing.forEach((text) => flow.update(text));
  return container;
}

const shown = (text) => rendered(text).show();
const read = (text) => rendered(text).textContent;

test('clinical text keeps its characters', () => {
  for (const text of [
    '5*10^9/L and 3*10^6', 'WBC ~4~11', '2**3 and 4**5', 'mL*min and k*t', '(a)*(b) and (c)*(d)', '5 *10^9/L and 3* 10^6', '>5 mm is abnormal',
    '> 50% stenosis', '>=3 nodules', 'K+ <3.5 and Na>150', '[x]: http://a.example', 'T_4_ and TSH_low', '12.1* and 13.4*', '310*10^9/L*',
    'p<0.05 & q>0.1', '<5 mg twice', 'a | b',
    'costs $5, later $10', 'US$5 and US$6^2', '$5 per 10^9 cells, or 3$', 'from $5*10^9 to $6', '$5$', 'a $ b_1 $ c', '$ 5 and $6', 'paid $5_x today, $6_y later',
    'between $3 (x=2) and the other 4$',
  ]) assert.equal(read(text), text);
});

test('emphasis that is meant is kept, also around products', () => {
  assert.equal(shown('*note: 5*10^9/L* and **3*10^6**'), 'div(p(em("note: 5*10^9/L"), " and ", strong("3*10^6")))');
  assert.equal(shown('**Dose:** 5 mg ~~10 mg~~'), 'div(p(strong("Dose:"), " 5 mg ", del("10 mg")))');
  assert.equal(shown('这是**重点**内容'), 'div(p("这是", strong("重点"), "内容"))');
});

test('a comparison at the start of a line is no quotation, a quotation is', () => {
  assert.equal(shown('Nodules\n>5 mm need follow-up'), 'div(p("Nodules", br(), ">5 mm need follow-up"))');
  assert.equal(shown('> as the guideline says'), 'div(blockquote(p("as the guideline says")))');
  assert.equal(shown('- >5 mm\n- <5 mm'), 'div(ul(li(">5 mm"), li("<5 mm")))');
});

test('no cell of a table is lost, however short its heading', () => {
  const text = '| Test | Value |\n|---|---:|\n| K | 6.1 | mmol/L | high |\n| Na | 140 |';
  assert.match(shown(text), /td\("mmol\/L"\), td\("high"\)/);
  assert.match(shown(text), /td\[data-align=right\]\("140"\)/);
  assert.equal(rendered(text).children.length, 1);
});

test('headings begin below the page and the turn', () => {
  assert.equal(shown('# A\n\n###### B'), 'div(h3("A"), h6("B"))');
});

test('a rule under a line does not make the line a heading', () => {
  assert.equal(shown('Potassium 6.1\n---\nnext'), 'div(p("Potassium 6.1"), hr(), p("next"))');
});

test('lists keep their numbers, their nesting and their boxes', () => {
  assert.equal(shown('3. a\n4. b'), 'div(ol[start=3](li("a"), li("b")))');
  assert.equal(shown('- a\n  - b'), 'div(ul(li("a", ul(li("b")))))');
  assert.equal(read('- [ ] ask\n- [x] done'), '[ ] ask[x] done');
});

test('a single line break is kept', () => {
  assert.equal(shown('Name: A\nAge: 50'), 'div(p("Name: A", br(), "Age: 50"))');
});

const formulas = (text) => {
  const found = [];
  walk(rendered(text), (node) => node.attributes?.class === 'maths' && found.push(`${'data-display' in node.attributes ? 'display ' : ''}${node.attributes['data-tex']}`));
  return found;
};

test('maths is found between its marks, and its source stays where nobody typesets it', () => {
  assert.deepEqual(formulas('Here $10^9$/L, $x$ and \\(\\frac{a}{b}\\), *not* $a_1*b*c_2$.'), ['10^9', 'x', '\\frac{a}{b}', 'a_1*b*c_2']);
  assert.deepEqual(formulas('$$BMI = \\frac{weight}{height^2}$$'), ['display BMI = \\frac{weight}{height^2}']);
  assert.deepEqual(formulas('As\n\\[\na = b\n- c\n\\]\nafter'), ['display a = b\n- c']);
  assert.deepEqual(formulas('- so $$x^2$$ in a list'), ['display x^2']);
  assert.equal(read('Here $10^9$/L'), 'Here $10^9$/L');
  assert.equal(shown('*a $b*c^2$ d*'), 'div(p(em("a ", span[class=maths][data-tex=b*c^2]("$b*c^2$"), " d")))');
});

test('what is no formula, or wants more than to be one, is left as it is', () => {
  for (const text of [
    'see \\[1\\] and \\(this note\\)', '$\\href{javascript:x}{y}$', '$\\pmb{x}$', '`$x^2$`', '$\\def\\a{\\pmb}$', '$$a = 1\n\nb = 2$$', '$x^2', '\\[x^2',
  ]) assert.deepEqual(formulas(text), [], text);
  assert.equal(read('see \\[1\\]'), 'see [1]');
});

test('HTML is text', () => {
  const text = '<img src=x onerror=alert(1)> and <script>alert(1)</script>\n\n<div onclick="x">\n\n<!-- c -->';
  walk(rendered(text), (node) => assert.ok(!['img', 'script'].includes(node.tag)));
  assert.equal(read(text).replaceAll('\n', ''), text.replaceAll('\n', ''));
});

test('only web and mail addresses become links, and images are never loaded', () => {
  assert.match(shown('[a](https://x.example/y)'), /a\[href=https:\/\/x\.example\/y\]\[rel=noopener noreferrer\]\[target=_blank\]\("a"\)/);
  assert.match(shown('write to a@b.example'), /href=mailto:a@b\.example/);
  for (const href of ['javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'data:text/html,x', 'vbscript:x', '/api/chat', 'file:///etc/passwd', '&#106;avascript:x']) {
    assert.equal(read(`[a](${href})`).includes('a'), true);
    walk(rendered(`[a](${href})`), (node) => assert.notEqual(node.tag, 'a', href));
  }
  assert.equal(shown('![scan](https://x.example/a.png)'), 'div(p(span[class=unloaded-image]("scan (https://x.example/a.png)")))');
});

test('addresses are judged as a browser reads them', () => {
  assert.equal(safeAddress('java\nscript:alert(1)'), null);
  assert.equal(safeAddress(' javascript:alert(1)'), null);
  assert.equal(safeAddress('mailto:a@b.example'), 'mailto:a@b.example');
  assert.equal(safeAddress('x'), null);
});

test('named characters are decoded once, and only those known', () => {
  assert.equal(decodeEntities('3 &lt; 4 &amp;lt; &unknown; &le;'), '3 < 4 &lt; &unknown; ≤');
  assert.equal(read('38&deg;C &#60; 40&nbsp;°C'), '38°C < 40\u00a0°C');
  assert.equal(read('`&lt;`'), '&lt;');
});

const SAMPLES = [
  'Let $a_1*b$ be.\n\n$$\nx = \\frac{1}{2}\n- y\n$$\n\n- \\[ a^2 \\]\n- costs $5 or $6\n\n\\(b_2\\)*c*\n',
  'One.\n\nTwo *three*\n\n- a\n- b\n\n- c\n\n1. x\n\nAfter the list\n\n    code\n\nend',
  '```\nfenced\n\nstill fenced\n```\n\nafter\n\n~~~text\na\n\n```\n\nb\n~~~\nend',
  '1. step\n   ```\n   code\n\n   more\n   ```\n\n2. next\n\n12) twelve\n\nText\n',
  '| a | b |\n|---|---|\n| 1 | 2 | 3 |\n\nx | y\n- | -\n1 | 2\n\n> quote\n> more\n\n>5 mm\n',
  'para\n-\n--\n---\n\n[x]: http://a\n\n[x] **bold\n\nnot** <b>x\n\n</b> `a\n\nb`\n\n* * *\n\n- - -\n\n-\n\n+ a\n\n2',
  '<div>\n\n<!-- open\n\nstill text\n\n-->\r\n\r\nend\r\n',
];

test('a formula is typeset once it stands, and not again while the text after it grows', () => {
  const container = fakeDocument.createElement('div');
  const set = [];
  const flow = new MarkdownFlow(container, fakeDocument, {
    typeset: (nodes) => nodes.forEach((node) => {
      set.push(node.textContent);
      node.replaceChildren(fakeDocument.createElement('math'));
    }),
  });
  const text = 'So $x^2$ holds, and $y^2$ too.';
  for (let end = 1; end <= text.length; end += 1) flow.update(text.slice(0, end));
  assert.deepEqual(set, ['$x^2$', '$y^2$']);
  assert.equal(container.textContent, 'So  holds, and  too.');
});

test('a streamed answer equals the answer rendered at once, however it was cut', () => {
  let seed = 7;
  const random = (below) => {
    seed = (seed * 48271) % 2147483647;
    return seed % below;
  };
  for (const text of SAMPLES) {
    const whole = shown(text);
    for (let round = 0; round < 40; round += 1) {
      const growing = [];
      for (let end = 1 + random(7); end < text.length; end += 1 + random(9)) growing.push(text.slice(0, end));
      assert.equal(rendered(...growing, text).show(), whole);
    }
  }
});

test('finished blocks are left alone while the last one grows', () => {
  const container = fakeDocument.createElement('div');
  const flow = new MarkdownFlow(container, fakeDocument);
  flow.update('First.\n\nSecond');
  const [first] = container.children;
  flow.update('First.\n\nSecond grows\n\nThird');
  assert.equal(container.children[0], first);
  assert.equal(container.children.length, 3);
});

test('the last block keeps the nodes that have not changed', () => {
  const container = fakeDocument.createElement('div');
  const flow = new MarkdownFlow(container, fakeDocument);
  flow.update('- one\n- two');
  const [list] = container.children;
  const [one] = list.children;
  flow.update('- one\n- two grows\n- three');
  assert.equal(container.children[0], list);
  assert.equal(list.children[0], one);
  assert.equal(container.show(), shown('- one\n- two grows\n- three'));
});

test('what is slow to show is shown less often, and whole at the end', () => {
  const container = fakeDocument.createElement('div');
  const flow = new MarkdownFlow(container, fakeDocument);
  const text = '- a *b*\n'.repeat(4000);
  flow.update(text, { whole: false });
  flow.update(`${text}- last`, { whole: false });
  assert.equal(flow.behind, true);
  flow.update(`${text}- last`);
  assert.equal(flow.behind, false);
  assert.ok(container.textContent.endsWith('last'));
});

test('another text replaces the first', () => {
  assert.equal(rendered('One\n\ntwo', 'Other').show(), 'div(p("Other"))');
});

test('a list is one piece, a fence is one piece, and text after them begins another', () => {
  const cut = (text) => {
    const cutter = new BlockCutter();
    cutter.push(text);
    return [...cutter.closed, cutter.open];
  };
  assert.deepEqual(cut('- a\n\n- b\n\nText'), ['- a\n\n- b\n\n', 'Text']);
  assert.deepEqual(cut('```\na\n\nb\n```\n\nText'), ['```\na\n\nb\n```\n\n', 'Text']);
  assert.deepEqual(cut('- a\n\n1'), ['- a\n\n1']);
});

test('text that no parser manages is shown as it came, and soon', () => {
  const began = process.cpuUsage();
  for (const text of [
    '>'.repeat(20000) + 'x', '_a_'.repeat(10000), `${'a'.repeat(30000)}@`, `a${' '.repeat(30000)}b`, '*a **b '.repeat(3000) + 'c** d*'.repeat(3000),
    '- '.repeat(10000) + 'x', Array.from({ length: 250 }, (_, depth) => `${'  '.repeat(depth)}- a`).join('\n'),
    `\`\`\`\na\n\`\`\`\n${'_a_'.repeat(10000)}`, `${'$a '.repeat(10000)}x`, '$a$'.repeat(600),
  ]) assert.equal(read(text).replaceAll('\n', ''), text.replaceAll('\n', '').trimEnd());
  const table = `|a|\n|-|\n|${' b |'.repeat(10000)}${'\n|b|'.repeat(2000)}`;
  assert.equal(read(table).replaceAll('\n', ''), table.replaceAll('\n', ''));
  assert.ok(process.cpuUsage(began).user < 10_000_000, 'some of these took half a minute, or never came back');
});
