//! Credits and usage.

use anchorbrowser_api::types;

use crate::call::Call;
use crate::error::Open as _;
use crate::macros::set;
use crate::{Client, Timestamp};

pub use types::Granularity;

/// Credits and usage of the project that the key belongs to; see [`Client::billing`].
///
/// ```no_run
/// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
/// use anchorbrowser::billing::Granularity;
///
/// let billing = client.billing().get().granularity(Granularity::Week).send().await?;
/// println!("{:?} credits left", billing.credits);
/// for bucket in billing.usage.into_iter().flat_map(|usage| usage.buckets) {
///     println!("{:?}: {:?}", bucket.date, bucket.credits_used);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Billing<'a> {
    client: &'a Client,
}

impl<'a> Billing<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Gets the balance and the limits; also the usage over time, if a date or a granularity is
    /// given.
    pub fn get(&self) -> GetBilling {
        GetBilling {
            client: self.client.clone(),
            from_date: None,
            to_date: None,
            granularity: None,
        }
    }
}

/// A look at the balance; see [`Billing::get`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct GetBilling {
    client: Client,
    from_date: Option<Timestamp>,
    to_date: Option<Timestamp>,
    granularity: Option<Granularity>,
}

impl GetBilling {
    /// Where the usage begins; default 30 days before its end.
    pub fn from_date(mut self, time: impl Into<Timestamp>) -> Self {
        self.from_date = Some(time.into());
        self
    }

    /// Where the usage ends; default now.
    pub fn to_date(mut self, time: impl Into<Timestamp>) -> Self {
        self.to_date = Some(time.into());
        self
    }

    /// The length of the parts that the usage is divided into; default a day.
    pub fn granularity(mut self, granularity: Granularity) -> Self {
        self.granularity = Some(granularity);
        self
    }

    /// Gets them.
    ///
    /// # Errors
    /// [`status`](crate::Error::status) 400 if the usage has too many parts: take a coarser
    /// granularity, or a shorter time.
    ///
    /// Calls `get_billing`.
    pub fn send(self) -> Call<BillingInfo> {
        Call::new(&self.client, move |api| async move {
            let mut call = api.get_billing();
            set!(call,
                from_date: self.from_date,
                to_date: self.to_date,
                granularity: self.granularity,
            );
            call.send().await?.open("data", |answer| {
                let data = answer.data.take()?;
                Some(BillingInfo::new(data, answer.usage.take()))
            })
        })
    }
}

/// The balance and the limits of a project, in credits.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BillingInfo {
    /// What is left.
    pub credits: Option<f64>,
    /// What was used in this billing period.
    pub credits_used: Option<f64>,
    /// What the tier includes.
    pub included_credits: Option<f64>,
    /// What is left of gifts and of credits paid in advance.
    pub gifts_balance: Option<f64>,
    /// What the project may use at most; `None` without a limit.
    pub cost_limit: Option<f64>,
    /// This billing period, as `YYYY-MM`.
    pub billing_period: Option<String>,
    /// The tier of the project.
    pub tier: Option<String>,
    /// How many browsers may run at once.
    pub max_concurrent_browsers: Option<BrowserLimit>,
    /// The usage over time, if it was asked for.
    pub usage: Option<Usage>,
}

/// How many browsers may run at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BrowserLimit {
    /// As many as one likes.
    Unlimited,
    /// So many.
    AtMost(u64),
}

/// Usage over time.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Usage {
    /// Where it begins.
    pub from_date: Option<Timestamp>,
    /// Where it ends.
    pub to_date: Option<Timestamp>,
    /// The length of its parts.
    pub granularity: Option<Granularity>,
    /// The credits that were used in all.
    pub credits_used: Option<f64>,
    /// Its parts.
    pub buckets: Vec<UsageBucket>,
}

/// A part of [`Usage`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UsageBucket {
    /// Where it begins.
    pub date: Option<Timestamp>,
    /// The credits that were used in it.
    pub credits_used: Option<f64>,
}

impl BillingInfo {
    fn new(
        data: types::BillingInfoResponseData,
        usage: Option<types::BillingInfoResponseUsage>,
    ) -> Self {
        Self {
            credits: data.credits,
            credits_used: data.credits_used,
            included_credits: data.included_credits,
            gifts_balance: data.gifts_balance,
            cost_limit: data.cost_limit,
            billing_period: data.billing_period,
            tier: data.tier,
            max_concurrent_browsers: data.max_concurrent_browsers.and_then(BrowserLimit::new),
            usage: usage.map(Usage::new),
        }
    }
}

impl BrowserLimit {
    fn new(number: f64) -> Option<Self> {
        if number == -1.0 {
            return Some(Self::Unlimited);
        }
        (number >= 0.0).then_some(Self::AtMost(number as u64))
    }
}

impl Usage {
    fn new(sent: types::BillingInfoResponseUsage) -> Self {
        let buckets = sent.data.into_iter().map(|item| UsageBucket {
            date: item.date,
            credits_used: item.credits_used,
        });
        Self {
            from_date: sent.from_date,
            to_date: sent.to_date,
            granularity: sent.granularity,
            credits_used: sent.total_credits_used,
            buckets: buckets.collect(),
        }
    }
}
