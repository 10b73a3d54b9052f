// Works through what a JavaScript program does with a server, and prints every answer as a line of JSON.
// Usage: node tedious.js PORT plain|tls
'use strict';
const { Connection, Request, TYPES } = require('tedious');

const [port, mode] = process.argv.slice(2);
const connection = new Connection({
  server: 'localhost',
  authentication: { type: 'default', options: { userName: 'admin', password: 'Sandbox-Passw0rd!' } },
  options: { port: Number(port), encrypt: mode === 'tls', database: 'AxDB', requestTimeout: 10000 },
});

const plainly = (key, value) =>
  value && value.type === 'Buffer' ? '0x' + Buffer.from(value.data).toString('hex') : value;
const show = (what, value) => console.log(what, JSON.stringify(value, plainly));
const called = (method, ...before) =>
  new Promise((resolve) => connection[method]((error) => resolve(error ? error.message : 'ok'), ...before));

// One request by connection[method]; resolves to rows, counts, output values and the error's text.
function ask(sql, method = 'execSqlBatch', prepare = () => {}) {
  return new Promise((resolve) => {
    const answer = { rows: [] };
    const request = new Request(sql, (error, count) => {
      if (error) answer.error = error.number || error.code;
      resolve({ ...answer, count });
    });
    request.on('row', (columns) => answer.rows.push(columns.map((column) => column.value)));
    request.on('returnValue', (name, value) => { (answer.output ||= {})[name] = value; });
    prepare(request);
    connection[method](request);
  });
}

async function parameters() {
  show('parameters', await ask('SELECT @i AS i, @b AS b, @s AS s, @e AS e, @n AS n, @v AS v, @d AS d, @t AS t, @f AS f',
    'execSql', (request) => {
      request.addParameter('i', TYPES.Int, -5);
      request.addParameter('b', TYPES.Bit, true);
      request.addParameter('s', TYPES.NVarChar, 'žluť 😀');
      request.addParameter('e', TYPES.NVarChar, '');
      request.addParameter('n', TYPES.NVarChar, null);
      request.addParameter('v', TYPES.VarBinary, Buffer.from([0, 1, 255]));
      request.addParameter('d', TYPES.Decimal, -12.34, { precision: 10, scale: 2 });
      request.addParameter('t', TYPES.DateTime2, new Date(Date.UTC(2024, 1, 29, 12, 34, 56, 123)), { scale: 7 });
      request.addParameter('f', TYPES.Float, 1.5);
    }));
  show('long', (await ask('SELECT LEN(@s) AS n', 'execSql',
    (request) => request.addParameter('s', TYPES.NVarChar, 'x'.repeat(9000)))).rows);
  show('output', await ask('SET @o = @o + 1', 'execSql',
    (request) => request.addOutputParameter('o', TYPES.Int, 41)));
}

async function prepared() {
  let done;
  const request = new Request('SELECT @x * 2 AS y', (error, count) => done(error ? error.message : count));
  const finished = () => new Promise((resolve) => { done = resolve; });
  const rows = [];
  request.addParameter('x', TYPES.Int);
  request.on('row', (columns) => rows.push(columns[0].value));
  await new Promise((resolve) => { request.once('prepared', resolve); connection.prepare(request); });
  for (const x of [1, 21]) {
    const end = finished();
    connection.execute(request, { x });
    show('execute', await end);
  }
  const end = finished();
  connection.unprepare(request);
  await end;
  show('prepared rows', rows);
}

async function transactions() {
  const count = async () => (await ask('SELECT COUNT(*) AS n FROM dbo.T')).rows[0][0];
  await ask("INSERT INTO dbo.T (ID, NAME) VALUES (1, N'a'), (2, N'b'), (3, N'c')");
  show('begin', await called('beginTransaction'));
  show('deleted', await ask('DELETE FROM dbo.T WHERE ID > 1'));
  show('inside', await count());
  show('rollback', await called('rollbackTransaction'));
  show('after rollback', await count());
  show('begin', await called('beginTransaction'));
  show('deleted', await ask('DELETE FROM dbo.T WHERE ID > @id', 'execSql',
    (request) => request.addParameter('id', TYPES.Int, 2)));
  show('commit', await called('commitTransaction'));
  show('after commit', await count());
}

async function bulkLoad() {
  await ask('DELETE FROM dbo.T');
  show('bulk load', await new Promise((resolve) => {
    const load = connection.newBulkLoad('dbo.T', {}, (error, count) => resolve(error ? error.message : count));
    load.addColumn('ID', TYPES.Int, { nullable: false });
    load.addColumn('NAME', TYPES.NVarChar, { length: 40, nullable: true });
    load.addColumn('AMOUNT', TYPES.Decimal, { precision: 18, scale: 4, nullable: true });
    load.addColumn('DATA', TYPES.VarBinary, { length: 16, nullable: true });
    connection.execBulkLoad(load, [
      { ID: 10, NAME: 'žluť', AMOUNT: 1.25, DATA: Buffer.from([1]) },
      { ID: 11, NAME: null, AMOUNT: null, DATA: null },
      { ID: 12, NAME: '', AMOUNT: -1, DATA: Buffer.from([]) },
    ]);
  }));
  show('loaded', (await ask('SELECT ID, NAME, AMOUNT, DATA FROM dbo.T ORDER BY ID')).rows);
}

async function cancelling() {
  const cancelled = ask("WAITFOR DELAY '00:00:30'");
  setTimeout(() => connection.cancel(), 200);
  show('cancelled', await cancelled);
  show('timeout', await ask("WAITFOR DELAY '00:00:30'", 'execSqlBatch', (request) => request.setTimeout(200)));
  show('after', (await ask('SELECT 1 AS a')).rows);
}

connection.connect(async (error) => {
  if (error) {
    show('connect', error.message);
    process.exit(1);
  }
  show('select', await ask("SELECT 1 AS a, N'b' AS b, CONVERT(varbinary(max), N'c') AS c, CONVERT(int, NULL) AS d"));
  show('error', await ask('SELECT * FROM dbo.nothing_here'));
  await parameters();
  await prepared();
  await transactions();
  await bulkLoad();
  await cancelling();
  show('reset', await called('reset'));
  show('procedure', await ask('sp_there_is_none', 'callProcedure'));
  connection.close();
});
