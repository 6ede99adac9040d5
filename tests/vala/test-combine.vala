// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// Futures of futures: chains, combinations, time limits, promises.

using GLib;
using Concur;

Future later (int number, Gate? gate = null) {
	return Executor.get_default ().submit_as<int> ((job) => {
		if (gate != null)
			gate.pass ();
		return number;
	});
}

Future failing (string text) {
	return Executor.get_default ().submit_as<int> ((job) => { throw new IOError.FAILED (text); });
}

async void test_chain () throws Error {
	unowned Thread<void*> thread = Thread.self<void*> ();
	bool tidied = false;

	// Typed steps, on a worker and in this thread's context.
	int length = yield later (12)
		.continue_as<string> ((job, input) => {
			assert (Thread.self<void*> () != thread);
			return string.nfill (input.value_as<int> (), 'x');
		}, Executor.get_default ())
		.continue_as<int> ((job, input) => {
			assert (Thread.self<void*> () == thread);
			return input.value_as<string> ().length;
		})
		.result_as<int> ();
	assert (length == 12);

	// An error passes by what continues and is caught by what recovers.
	string text = yield failing ("first")
		.continue_as<int> ((job, input) => { assert_not_reached (); })
		.recover_as<string> ((job, input) => { return input.get_error ().message; })
		.result_as<string> ();
	assert (text == "first");

	// A step that fails, and one that runs in any case.
	try {
		yield later (1)
			.continue_as<int> ((job, input) => { throw new IOError.EXISTS ("second"); })
			.ensure ((job, input) => { tidied = true; return true; })
			.result_as<int> ();
		assert_not_reached ();
	} catch (IOError.EXISTS e) {
		assert (tidied && e.message == "second");
	}

	// A step with something to wait for answers with that.
	int more = yield later (20)
		.continue_with ((job, input) => {
			job.return_future (later (input.value_as<int> () + 1));
			return true;
		})
		.result_as<int> ();
	assert (more == 21);
}

async void test_all () throws Error {
	Future[] futures = { later (1), later (2), later (3) };
	int sum = 0;

	yield Future.all (futures).wait_async ();
	foreach (var future in futures)
		sum += future.value_as<int> ();
	assert (sum == 6);

	var list = yield Future.all (futures).result_as<ListModel> ();
	assert (list.get_n_items () == 3 && ((Future) list.get_item (2)).value_as<int> () == 3);

	try {
		yield Future.all ({ later (1), failing ("of three"), later (3) }).wait_async ();
		assert_not_reached ();
	} catch (IOError.FAILED e) {
		assert (e.message == "of three");
	}

	list = yield Future.all_settled ({ failing ("looked at"), later (3) }).result_as<ListModel> ();
	assert (((Future) list.get_item (0)).state == FutureState.REJECTED);
	assert ((yield Future.all ({}).result_as<ListModel> ()).get_n_items () == 0);
}

async void test_any_and_race () throws Error {
	var gate = new Gate ();
	var slow = later (1, gate);

	assert ((yield Future.any ({ failing ("ignored"), later (2), slow }).result_as<int> ()) == 2);
	assert ((yield Future.race ({ slow, later (3) }).result_as<int> ()) == 3);
	assert (!slow.is_done ());

	// Losers are cancelled only if asked to.
	var promise = new Promise ();
	assert ((yield Future.race ({ promise.get_future (), later (4) }, CombineFlags.CANCEL_REST).result_as<int> ()) == 4);
	assert (promise.get_future ().wait () && promise.get_future ().state == FutureState.CANCELLED);

	// As they finish.
	var done = yield Future.wait_many ({ slow, later (5) }, WaitCondition.FIRST_COMPLETED).result_as<ListModel> ();
	assert (done.get_n_items () == 1 && ((Future) done.get_item (0)).value_as<int> () == 5);
	done = yield Future.wait_many ({ slow }, WaitCondition.ALL, TimeSpan.MILLISECOND).result_as<ListModel> ();
	assert (done.get_n_items () == 0);
	gate.open ();
	assert ((yield slow.result_as<int> ()) == 1);
}

async void test_time () throws Error {
	var promise = new Promise ();
	var begun = get_monotonic_time ();

	try {
		yield promise.get_future ().with_timeout (TimeSpan.MILLISECOND).wait_async ();
		assert_not_reached ();
	} catch (FutureError.TIMED_OUT e) {
		// The timer's thread cancels it, perhaps a moment later.
		assert (promise.get_future ().wait () && promise.get_future ().state == FutureState.CANCELLED);
	}
	assert ((yield later (6).with_timeout (TimeSpan.HOUR).result_as<int> ()) == 6);

	yield Future.delay (2 * TimeSpan.MILLISECOND).wait_async ();
	assert (get_monotonic_time () - begun >= 2 * TimeSpan.MILLISECOND);

	// Shielded, it goes on.
	var kept = new Promise ();
	assert (kept.get_future ().shield ().cancel ());
	assert (kept.resolve (7) && kept.get_future ().value_as<int> () == 7);
}

async void test_promise () throws Error {
	var made = new Promise ();

	var thread = new Thread<void> ("producer", () => { made.resolve ("made by hand"); });
	assert ((yield made.get_future ().result_as<string> ()) == "made by hand");
	assert (!made.resolve ("again"));
	thread.join ();

	var promise = new Promise ();
	promise.reject (new IOError.CLOSED ("gone"));
	try {
		promise.get_future ().value_as<string> ();
		assert_not_reached ();
	} catch (IOError.CLOSED e) {
		assert (e.message == "gone");
	}

	Future future = new Promise ().get_future ();
	try {
		yield future.result_as<int> ();
		assert_not_reached ();
	} catch (FutureError.BROKEN_PROMISE e) {
		assert (future.is_done ());
	}
}

// A callback and what it holds belong to the context it was added in.
void test_when_done () throws Error {
	var gate = new Gate ();
	var future = later (8, gate);
	var loop = new MainLoop ();
	unowned Thread<void*> thread = Thread.self<void*> ();
	int seen = 0;

	Counted.start ();
	{
		var held = new Counted (9);
		future.when_done ((done) => {
			assert (Thread.self<void*> () == thread);
			try {
				seen = done.value_as<int> () + held.number;
			} catch (Error e) {
				assert_not_reached ();
			}
			loop.quit ();
		});
		var id = future.when_done ((done) => { assert_not_reached (); });
		future.disconnect_done (id);
	}
	gate.open ();
	loop.run ();
	assert (seen == 17);
	Counted.settle ();
	assert (Counted.died_here () == 1);
}

void test_iterate () throws Error {
	var future = later (1).continue_as<int> ((job, input) => { return input.value_as<int> () + 1; });

	// A script's way: the continuation is bound to this thread's context.
	future.iterate ();
	assert (future.value_as<int> () == 2);
}

int main (string[] args) {
	Test.init (ref args);
	add_async_test ("/vala/combine/chain", (done) => test_chain.begin (done), (result) => test_chain.end (result));
	add_async_test ("/vala/combine/all", (done) => test_all.begin (done), (result) => test_all.end (result));
	add_async_test ("/vala/combine/any-and-race", (done) => test_any_and_race.begin (done), (result) => test_any_and_race.end (result));
	add_async_test ("/vala/combine/time", (done) => test_time.begin (done), (result) => test_time.end (result));
	add_async_test ("/vala/combine/promise", (done) => test_promise.begin (done), (result) => test_promise.end (result));
	add_test ("/vala/combine/when-done", test_when_done);
	add_test ("/vala/combine/iterate", test_iterate);
	return run_tests ();
}
