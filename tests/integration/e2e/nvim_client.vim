" Neovim as a client: orders by rpcrequest() on an RPC channel; events, for which Neovim's RPC has no handler of the user's own,
" on a plain channel that subscribes with what msgpackdump() writes and reads with msgpackparse().
let s:address = $CROSSDOCK_ADDRESS
let s:said = {'received': []}
let s:bytes = ['']

" Vim's strings are dumped as bytes unless they are said to be text.
function! s:text(value) abort
  return {'_TYPE': v:msgpack_types.string, '_VAL': [a:value]}
endfunction

function! s:request(number, method, key, value) abort
  let l:params = {'_TYPE': v:msgpack_types.map, '_VAL': [[s:text(a:key), s:text(a:value)]]}
  return [0, a:number, s:text(a:method), [l:params]]
endfunction

function! s:on_data(channel, data, name) abort
  let s:bytes[-1] .= a:data[0]
  call extend(s:bytes, a:data[1:])
endfunction

function! s:is_complete() abort
  try
    let s:said.received = msgpackparse(s:bytes)
  catch
    return 0
  endtry
  return json_encode(s:said.received) =~# '"match.confirmed"'
endfunction

function! s:run() abort
  let l:rpc = sockconnect('tcp', s:address, {'rpc': 1})
  let s:said.hello = rpcrequest(l:rpc, 'hello', {'account': 'nvim'})
  let s:said.ping = rpcrequest(l:rpc, 'ping')
  let l:feed = sockconnect('tcp', s:address, {'on_data': function('s:on_data')})
  call chansend(l:feed, msgpackdump([s:request(1, 'hello', 'account', 'nvim'), s:request(2, 'subscribe', 'from', 'now')]))
  " an RPC channel that is told events answers that it knows no such method, and goes on
  let s:said.subscribed = rpcrequest(l:rpc, 'subscribe', {'from': 'now'})
  let s:said.submitted = rpcrequest(l:rpc, 'submit', json_decode($CROSSDOCK_ORDER))
  call wait(10000, function('s:is_complete'), 10)
  let s:said.again = rpcrequest(l:rpc, 'ping')
  try
    call rpcrequest(l:rpc, 'submit', {'side': 'offer', 'kind': 'boat'})
  catch
    let s:said.refused = v:exception
  endtry
  let s:said.orders = rpcrequest(l:rpc, 'orders', {'state': 'filled'})
endfunction

try
  call s:run()
catch
  let s:said.failed = v:exception
endtry
call writefile([json_encode(s:said)], $CROSSDOCK_OUTPUT)
qall!
