// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// Values that go through channels: read with yield or by threads, filled by functions, and
// followed by functions and lists. What is received belongs to whoever receives it.

using GLib;
using Concur;

const int MANY = 200;

class Named : Object {
	public string name { get; construct; }

	public Named (string name) {
		Object (name: name);
	}
}

Channel numbers (int n, uint capacity = 2) {
	return Executor.get_default ().generate ((job, channel) => {
		for (int i = 0; i < n; i++)
			channel.send_value_wait<int> (i);
		return true;
	}, capacity);
}

async void test_next () throws Error {
	var channel = numbers (MANY);
	int64? number;
	int64 sum = 0;
	int n = 0;

	while ((number = yield channel.next<int64?> ()) != null) {
		assert (number == n++);
		sum += number;
	}
	assert (n == MANY && sum == MANY * (MANY - 1) / 2);
	// And so it stays.
	assert ((yield channel.next<int64?> ()) == null);
}

// It is still there after the next yield, and after the channel has gone.
async void test_belongs () throws Error {
	var channel = new Channel (4);

	Counted.start ();
	{
		yield channel.send_value<string> ("first");
		yield channel.send_value<Counted> (new Counted (7));
		yield channel.send_value<string> ("last");
		channel.close ();
		string first = yield channel.next<string> ();
		Counted counted = yield channel.next<Counted> ();
		string last = yield channel.next<string> ();
		assert ((yield channel.next<string> ()) == null);
		channel = null;
		assert (first == "first" && counted.number == 7 && last == "last");
		assert (Counted.alive () == 1);
	}
	Counted.settle ();
}

// With a type that cannot be null the end is an error.
async void test_cannot_be_null () throws Error {
	var channel = numbers (3);
	int sum = 0;

	try {
		while (true)
			sum += 1 + yield channel.next<int> ();
	} catch (ChannelError.CLOSED e) {
		assert (sum == 1 + 2 + 3);
	}

	channel = new Channel ();
	channel.stop ();
	try {
		yield channel.next<bool> ();
		assert_not_reached ();
	} catch (ChannelError.STOPPED e) {
		assert ((yield channel.next<string> ()) == null);
	}
}

// A null on its way is no end, and not passed over in silence.
async void test_null_value () throws Error {
	var channel = new Channel ();

	for (int i = 0; i < 2; i++) {
		yield channel.send_value<string?> (null);
		yield channel.send_value<string?> ("after");
	}
	channel.close ();
	try {
		yield channel.next<string> ();
		assert_not_reached ();
	} catch (FutureError.WRONG_TYPE e) {
		assert (e.message.contains ("receive_value"));
	}
	assert ((yield channel.next<string> ()) == "after");

	assert ((yield channel.receive_value<string?> ()) == null);
	assert (channel.receive_value_wait<string?> () == "after");
	try {
		yield channel.receive_value<string?> ();
		assert_not_reached ();
	} catch (ChannelError.CLOSED e) {
		assert (channel.is_closed ());
	}
}

async void test_types () throws Error {
	var channel = new Channel ();
	var bytes = new Bytes ({ 1, 2, 3 });

	yield channel.send_value<bool> (true);
	yield channel.send_value<double?> (0.5);
	yield channel.send_value<int?> (6);
	yield channel.send_value<Bytes> (bytes);
	yield channel.send_value<Value?> ("any");
	yield channel.send_value<Error> (new IOError.FAILED ("a value"));
	// Values as C has them, of which a number may be wider or narrower.
	yield channel.send_async (8);
	yield channel.send_async ((int64) 9);
	yield channel.send_async ("text");
	channel.close ();

	assert (yield channel.next<bool> ());
	assert ((yield channel.next<double?> ()) == 0.5);
	assert ((yield channel.next<int?> ()) == 6);
	assert ((yield channel.next<Bytes> ()) == bytes);
	Value? any = yield channel.next<Value?> ();
	assert (any.get_string () == "any");
	Error failed = yield channel.next<Error> ();
	assert (failed is IOError.FAILED && failed.message == "a value");
	assert ((yield channel.next<int64?> ()) == 8);
	assert ((yield channel.next<int> ()) == 9);
	try {
		yield channel.next<Bytes> ();
		assert_not_reached ();
	} catch (FutureError.WRONG_TYPE e) {
		assert (e.message.contains ("gchararray"));
	}
	assert ((yield channel.next<Bytes> ()) == null);
}

async void test_fails () throws Error {
	var channel = Executor.get_default ().generate ((job, channel) => {
		channel.send_value_wait<string> ("before");
		throw new IOError.NOT_FOUND ("the rest");
	}, 1);

	assert ((yield channel.next<string> ()) == "before");
	for (int i = 0; i < 2; i++) {
		try {
			yield channel.next<string> ();
			assert_not_reached ();
		} catch (IOError.NOT_FOUND e) {
			assert (e.message == "the rest");
		}
	}
}

// The turn passes on, and nothing is lost.
async void test_cancel_wait () throws Error {
	var channel = new Channel ();
	var cancellable = new Cancellable ();
	bool cancelled = false;

	channel.next.begin<string> (cancellable, (object, result) => {
		try {
			channel.next.end<string> (result);
			assert_not_reached ();
		} catch (IOError.CANCELLED e) {
			cancelled = true;
		} catch (Error e) {
			assert_not_reached ();
		}
	});
	cancellable.cancel ();
	while (!cancelled)
		MainContext.default ().iteration (true);
	channel.try_send_value<string> ("kept");
	assert (channel.length == 1);
	assert ((yield channel.next<string> ()) == "kept");
}

// Who waits keeps the channel.
void test_keeps () throws Error {
	var channel = new Channel ();
	var completion = channel.dup_completion ();
	bool ended = false;

	channel.next.begin<string> (null, (object, result) => {
		try {
			assert (((Channel) object).next.end<string> (result) == "came");
			ended = true;
		} catch (Error e) {
			assert_not_reached ();
		}
	});
	unowned Channel same = channel;
	channel = null;
	same.try_send_value<string> ("came");
	while (!ended)
		MainContext.default ().iteration (true);
	while (!completion.is_done ())
		MainContext.default ().iteration (true);
}

// A full channel makes a method wait, and lets the loop go on.
async void test_back_pressure () throws Error {
	var channel = new Channel (1);
	int n_sent = 0;

	send_some.begin (channel, 3, (object, result) => {
		try {
			send_some.end (result);
			channel.close ();
		} catch (Error e) {
			assert_not_reached ();
		}
	});
	for (int i = 0; i < 100; i++)
		MainContext.default ().iteration (false);
	assert (channel.length == 1);
	while ((yield channel.next<string> ()) != null)
		n_sent++;
	assert (n_sent == 3);

	yield channel.dup_completion ().wait_async ();
	try {
		yield channel.send_value<string> ("late");
		assert_not_reached ();
	} catch (ChannelError.CLOSED e) {
		assert (channel.is_closed ());
	}
}

async void send_some (Channel channel, int n) throws Error {
	for (int i = 0; i < n; i++)
		yield channel.send_value<string> (i.to_string ());
}

void test_blocking () throws Error {
	var channel = new Channel (2);
	int sum = 0;
	int64? number;

	try {
		channel.wait_next<string> (0);
		assert_not_reached ();
	} catch (FutureError.TIMED_OUT e) {
		assert (channel.length == 0);
	}
	try {
		channel.try_receive_value<string> ();
		assert_not_reached ();
	} catch (ChannelError.EMPTY e) {
		assert (channel.length == 0);
	}

	var thread = new Thread<bool> ("sender", () => {
		try {
			for (int i = 1; i <= MANY; i++)
				channel.send_value_wait<int64?> (i);
		} catch (Error e) {
			assert_not_reached ();
		}
		return channel.close ();
	});
	while ((number = channel.wait_next<int64?> ()) != null)
		sum += (int) number;
	assert (thread.join () && sum == MANY * (MANY + 1) / 2);

	channel = new Channel (1);
	channel.try_send_value<string> ("fits");
	try {
		channel.try_send_value<string> ("does not");
		assert_not_reached ();
	} catch (ChannelError.FULL e) {
		assert (channel.try_receive_value<string> () == "fits");
	}
	channel.fail (new IOError.FAILED ("broken"));
	try {
		channel.wait_next<string> ();
		assert_not_reached ();
	} catch (IOError.FAILED e) {
		assert (e.message == "broken");
	}
}

void test_many () throws Error {
	var channel = new Channel ();

	channel.send_many ({ "a", "b", 3 }).wait_as<int64?> ();
	Batch batch = channel.receive_many_wait (10);
	assert (batch.get_n_items () == 3);
	assert (batch.value_as<string> (0) == "a" && batch.value_as<string> (1) == "b");
	assert (batch.value_as<int> (2) == 3);
	try {
		batch.value_as<Bytes> (0);
		assert_not_reached ();
	} catch (FutureError.WRONG_TYPE e) {
		assert (e.message != "");
	}
}

// It was stopped, and whoever fills it has ended.
async void stopped (Future completion) throws Error {
	try {
		yield completion.wait_async ();
		assert_not_reached ();
	} catch (IOError.CANCELLED e) {
		assert (completion.is_done ());
	}
}

// Nobody asks: it never begins. Nobody wants more: it ends where it sends.
async void test_stop () throws Error {
	var pool = new ThreadExecutor (1);
	int n_cleaned = 0;
	bool began = false;

	pool.generate ((job, channel) => { began = true; return true; }, 1).stop ();
	Channel endless = pool.generate ((job, channel) => {
		try {
			for (int i = 0; ; i++)
				channel.send_value_wait<int> (i);
		} finally {
			AtomicInt.inc (ref n_cleaned);
		}
	}, 2);
	var completion = endless.dup_completion ();

	assert ((yield endless.next<int64?> ()) == 0);
	assert ((yield endless.next<int64?> ()) == 1);
	endless.stop ();
	yield stopped (completion);
	assert (AtomicInt.get (ref n_cleaned) == 1 && !began);

	// So it does when the channel is forgotten.
	endless = pool.generate ((job, channel) => {
		try {
			while (true)
				channel.send_value_wait<string> ("more");
		} finally {
			AtomicInt.inc (ref n_cleaned);
		}
	}, 2);
	completion = endless.dup_completion ();
	assert ((yield endless.next<string> ()) == "more");
	endless = null;
	yield stopped (completion);
	assert (AtomicInt.get (ref n_cleaned) == 2);
}

async void test_as_completed () throws Error {
	var gate = new Gate ();
	Future slow = Executor.get_default ().submit_as<string> ((job) => { gate.pass (); return "slow"; });
	Future quick = Executor.get_default ().submit_as<string> ((job) => { return "quick"; });
	Channel done = Future.as_completed ({ slow, quick });
	string order = "";
	Future? future;

	while ((future = yield done.next<Future> ()) != null) {
		order += future.value_as<string> () + " ";
		gate.open ();
	}
	assert (order == "quick slow ");
}

async void test_for_each () throws Error {
	var channel = numbers (MANY, 16);
	int sum = 0;
	int64? n;
	var here = Thread.self<void*> ();

	Counted.start ();
	{
		var held = new Counted (1);
		n = yield channel.for_each_value<int> ((number) => {
			assert (Thread.self<void*> () == here);
			sum += number + held.number;
			return true;
		}).result_as<int64?> ();
	}
	assert (n == MANY && sum == MANY * (MANY + 1) / 2);
	Counted.settle ();

	// Enough.
	channel = numbers (MANY, 1);
	n = yield channel.for_each_value<int64?> ((number) => number < 4).result_as<int64?> ();
	assert (n == 5);
	yield stopped (channel.dup_completion ());

	// As C calls it, with the value itself.
	string text = "";
	channel = new Channel ();
	yield channel.send_value<string> ("word");
	channel.close ();
	yield channel.for_each ((source, value) => { text += value.get_string (); return true; }).wait_async ();
	assert (text == "word");
}

// What the function throws ends it, as does a value of another type.
async void test_for_each_fails () throws Error {
	var channel = numbers (MANY, 1);

	try {
		yield channel.for_each_value<int> ((number) => {
			if (number == 3)
				throw new IOError.NO_SPACE ("at %d", number);
			return true;
		}).result_as<int64?> ();
		assert_not_reached ();
	} catch (IOError.NO_SPACE e) {
		assert (e.message == "at 3");
	}
	// Nobody fills it any more.
	yield stopped (channel.dup_completion ());

	channel = numbers (1);
	try {
		yield channel.for_each_value<string> ((text) => { assert_not_reached (); }).result_as<int64?> ();
		assert_not_reached ();
	} catch (FutureError.WRONG_TYPE e) {
		assert (e.message.contains ("gint"));
	}
}

async void test_list () throws Error {
	var store = new ListStore (typeof (Named));
	var channel = numbers (MANY, 16);

	Counted.start ();
	{
		var held = new Counted (2);
		int64? n = yield channel.bind_list_store_values<int> (store, (number) => {
			return number % held.number == 1 ? new Named (number.to_string ()) : null;
		}).result_as<int64?> ();
		assert (n == MANY / 2 && store.get_n_items () == MANY / 2);
	}
	Counted.settle ();
	for (uint i = 0; i < MANY / 2; i++)
		assert (((Named) store.get_item (i)).name == (2 * i + 1).to_string ());

	// As C calls it.
	store.remove_all ();
	channel = numbers (3);
	yield channel.bind_list_store (store, (value) => new Named ("%d".printf (value.get_int ()))).wait_async ();
	assert (store.get_n_items () == 3 && ((Named) store.get_item (2)).name == "2");

	// The items themselves.
	store.remove_all ();
	channel = new Channel ();
	yield channel.send_value<Named> (new Named ("sent"));
	channel.close ();
	yield channel.bind_list_store (store, null).wait_async ();
	assert (store.get_n_items () == 1 && ((Named) store.get_item (0)).name == "sent");

	channel = numbers (5);
	try {
		yield channel.bind_list_store_values<int> (store, (number) => {
			if (number == 2)
				throw new IOError.BUSY ("no more");
			return new Named ("x");
		}).result_as<int64?> ();
		assert_not_reached ();
	} catch (IOError.BUSY e) {
		assert (store.get_n_items () == 3);
	}
}

// A function or a factory has each value for the call.
async void test_followed () throws Error {
	var store = new ListStore (typeof (Named));
	int sum = 0;

	Counted.start ();
	for (int i = 0; i < 2; i++) {
		var channel = new Channel ();
		for (int n = 1; n <= 3; n++)
			yield channel.send_value<Counted> (new Counted (n));
		channel.close ();
		if (i == 0)
			yield channel.for_each_value<Counted> ((counted) => { sum += counted.number; return true; }).wait_async ();
		else
			yield channel.bind_list_store_values<Counted> (store, (counted) => new Named (counted.number.to_string ())).wait_async ();
	}
	assert (sum == 6 && store.get_n_items () == 3);
	Counted.settle ();
}

// What nobody received goes with the channel, and a value of the wrong type where it was
// received.
void test_dropped () throws Error {
	Counted.start ();
	for (int i = 0; i < MANY; i++) {
		var channel = new Channel ();
		for (int n = 0; n < 4; n++)
			channel.try_send_value<Counted> (new Counted (n));
		assert (channel.wait_next<Counted> ().number == 0);
		try {
			channel.wait_next<string> ();
			assert_not_reached ();
		} catch (FutureError.WRONG_TYPE e) {
			assert (channel.length == 2);
		}
		if (i % 2 == 0)
			channel.stop ();
	}
	Counted.settle ();
}

int main (string[] args) {
	Test.init (ref args);
	add_async_test ("/vala/channel/next", (done) => test_next.begin (done), (result) => test_next.end (result));
	add_async_test ("/vala/channel/belongs", (done) => test_belongs.begin (done), (result) => test_belongs.end (result));
	add_async_test ("/vala/channel/cannot-be-null", (done) => test_cannot_be_null.begin (done), (result) => test_cannot_be_null.end (result));
	add_async_test ("/vala/channel/null-value", (done) => test_null_value.begin (done), (result) => test_null_value.end (result));
	add_async_test ("/vala/channel/types", (done) => test_types.begin (done), (result) => test_types.end (result));
	add_async_test ("/vala/channel/fails", (done) => test_fails.begin (done), (result) => test_fails.end (result));
	add_async_test ("/vala/channel/cancel-wait", (done) => test_cancel_wait.begin (done), (result) => test_cancel_wait.end (result));
	add_test ("/vala/channel/keeps", test_keeps);
	add_async_test ("/vala/channel/back-pressure", (done) => test_back_pressure.begin (done), (result) => test_back_pressure.end (result));
	add_test ("/vala/channel/blocking", test_blocking);
	add_test ("/vala/channel/many", test_many);
	add_async_test ("/vala/channel/stop", (done) => test_stop.begin (done), (result) => test_stop.end (result));
	add_async_test ("/vala/channel/as-completed", (done) => test_as_completed.begin (done), (result) => test_as_completed.end (result));
	add_async_test ("/vala/channel/for-each", (done) => test_for_each.begin (done), (result) => test_for_each.end (result));
	add_async_test ("/vala/channel/for-each-fails", (done) => test_for_each_fails.begin (done), (result) => test_for_each_fails.end (result));
	add_async_test ("/vala/channel/list", (done) => test_list.begin (done), (result) => test_list.end (result));
	add_async_test ("/vala/channel/followed", (done) => test_followed.begin (done), (result) => test_followed.end (result));
	add_test ("/vala/channel/dropped", test_dropped);
	return run_tests ();
}
